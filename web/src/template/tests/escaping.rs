//! What each place does to a value, and which places take none.

use super::check;

/// Each page was also made by Go 1.19's `html/template`, with the same bytes.
#[test]
fn the_place_decides_how_a_value_is_escaped() {
    check(&[
        ("{{.evil}}", "&lt;/script&gt;&lt;b&gt;&#39;&#34;&amp;&#43;\u{fffd}\u{2028}"),
        (
            "<p title=\"{{.evil}}\" class = 'a {{.s}}'>",
            "<p title=\"&lt;/script&gt;&lt;b&gt;&#39;&#34;&amp;&#43;\u{fffd}\u{2028}\" class = 'a &lt;s&gt;'>",
        ),
        (
            "<a href=\"{{.js}}\">{{.js}}</a><a href = '{{.url}}'></a>",
            "<a href=\"#ZgotmplZ\">javascript:alert(1)</a><a href = 'https://x/y?z=1&amp;w=2'></a>",
        ),
        ("<img src=\"{{.q}}\">", "<img src=\"a%20b&amp;c=d/%c3%a9?#&#43;%41%25zz%27%22%28\">"),
        (
            "<a href=\"/p/{{.q}}?x={{.q}}\">",
            "<a href=\"/p/a%20b&amp;c=d/%c3%a9?#&#43;%41%25zz%27%22%28?x=a%20b%26c%3dd%2f%c3%a9%3f%23%2b%2541%25zz%27%22%28\">",
        ),
        (
            "<a xlink:href=\"{{.js}}\" data-url='{{.js}}' formaction=\"{{.js}}\">",
            "<a xlink:href=\"#ZgotmplZ\" data-url='#ZgotmplZ' formaction=\"#ZgotmplZ\">",
        ),
        ("<a href=\"{{if .t}}/x{{else}}/y{{end}}/{{.s}}\">", "<a href=\"/x/%3cs%3e\">"),
        ("<a href=\"?a={{range .l}}{{.}},{{end}}\">", "<a href=\"?a=1,2,3,\">"),
        (
            "<script>a = {{.evil}}, b={{.n}}, c={{.l}}, d={{.none}}; 'it\\'s' + {{.s}}</script>{{.s}}",
            "<script>a = \"\\u003c/script\\u003e\\u003cb\\u003e'\\\"\\u0026+\\u0000\\u2028\", b= 7 , c=[1,2,3], d= null ; 'it\\'s' + \"\\u003cs\\u003e\"</script>&lt;s&gt;",
        ),
        (
            "<TEXTAREA>{{.evil}}</TextArea >{{.n}}",
            "<TEXTAREA>&lt;/script&gt;&lt;b&gt;&#39;&#34;&amp;&#43;\u{fffd}\u{2028}</TextArea >7",
        ),
        ("a < b <! x <? </> <3 {{.s}} <", "a &lt; b &lt;! x &lt;? &lt;/> &lt;3 &lt;s&gt; &lt;"),
        (
            "<!DOCTYPE html><!-- c {{.s}} --><!----><b><!-- <a href= -->{{.n}}</b>",
            "<!DOCTYPE html><b>7</b>",
        ),
        (
            "<input {{if .t}}checked{{end}} value=\"{{.n}}\"><input {{if .f}}checked{{else}}x=\"1\"{{end}}>",
            "<input checked value=\"7\"><input x=\"1\">",
        ),
        (
            "<style>p > a {} </style><br/>{{.n}}<svg:rect/><a-b c.d=e>",
            "<style>p > a {} </style><br/>7<svg:rect/><a-b c.d=e>",
        ),
        (
            "<p class=\"a {{if .t}}b{{end}}\">{{range .l}}<i title=\"{{.}}\">{{end}}",
            "<p class=\"a b\"><i title=\"1\"><i title=\"2\"><i title=\"3\">",
        ),
    ]);
    // A browser runs no data attribute: data-onclick is plain here, a script's value in Go.
    check(&[(
        "<a data-href='{{.js}}' data-onclick='{{.n}}'><title>{{template \"t2\" .}}</title>{{define \"t2\"}}{{.s}}{{end}}",
        "<a data-href='#ZgotmplZ' data-onclick='7'><title>&lt;s&gt;</title>",
    )]);
    // Where this engine is stricter than Go: no scheme made of two values.
    check(&[("<a href=\"{{.a.b}}{{.js}}\">", "<a href=\"Bjavascript%3aalert%281%29\">")]);
    // And where it is not: Go escapes the < here, which shows as the same.
    check(&[(
        "<title>a < b <!-- kept -->{{.s}}</title>",
        "<title>a < b <!-- kept -->&lt;s&gt;</title>",
    )]);
}

#[test]
fn what_cannot_be_made_safe_is_refused_at_load() {
    check(&[
        ("<a href={{.s}}>", "t:1:11: put the attribute's value in quotes"),
        ("<a class=x{{.s}}>", "t:1:13: put the attribute's value in quotes"),
        (
            "<p {{.s}}>",
            "t:1:6: a value cannot be a name in a tag; use {{if}} around names you write",
        ),
        (
            "<h{{.n}}>",
            "t:1:5: a value cannot be a name in a tag; use {{if}} around names you write",
        ),
        ("<p style=\"{{.s}}\">", "t:1:13: no value is safe in a style attribute; set a class"),
        (
            "<p\nONclick='f({{.n}})'>",
            "t:2:14: no value is safe in an event handler; put it in a data attribute and read that",
        ),
        ("<iframe srcdoc=\"{{.s}}\">", "t:1:19: srcdoc is a page of its own; serve it under a URL"),
        ("<img srcset=\"{{.s}}\">", "t:1:16: a list of URLs takes no values; use src"),
    ]);
}

#[test]
fn scripts_and_urls_that_cannot_be_followed_are_refused_at_load() {
    check(&[
        (
            "<style>p { color: {{.s}} }</style>",
            "t:1:21: no value is safe in a style sheet; set a class or a data attribute",
        ),
        (
            "<script>x = \"{{.s}}\"</script>",
            "t:1:16: a value brings its own quotes in a script; write x = {{.x}} without quotes",
        ),
        (
            "<script>x = `a\n{{.s}}`</script>",
            "t:2:3: a value brings its own quotes in a script; write x = {{.x}} without quotes",
        ),
        (
            "<script>// {{.s}}\n</script>",
            "t:1:14: a value in a script's comment serves nobody; remove it",
        ),
        (
            "<script>x = /\"/; y = {{.s}}</script>",
            "t:1:24: after a / or ${ this engine cannot follow the script; take the value first, in a script of its own",
        ),
        (
            "<script>x = `${1}`; y = {{.s}}</script>",
            "t:1:27: after a / or ${ this engine cannot follow the script; take the value first, in a script of its own",
        ),
        (
            "<script><!-- {{.s}}</script>",
            "t:1:9: <!-- in a script changes where it ends; remove it",
        ),
        (
            "<a href=\"javascript:f({{.n}})\">",
            "t:1:25: a URL that runs or holds a document (javascript:, data:) takes no values",
        ),
        (
            "<a href=\"{{.s}}:{{.s}}\">",
            "t:1:16: a value must not be a URL's scheme; write the scheme, or the whole URL as one value",
        ),
        (
            "<a href=\"{{if .t}}/x{{else}}?y={{end}}{{.s}}\">",
            "t:1:41: the branches before this leave open which part of the URL it is; write the whole attribute in each",
        ),
    ]);
}

#[test]
fn html_with_two_meanings_is_refused_at_load() {
    check(&[
        (
            "<a href=\"{{range .l}}{{.}}/{{end}}\">",
            "t:1:24: the branches before this leave open which part of the URL it is; write the whole attribute in each",
        ),
        (
            "<p>{{if .t}}<a title=\"{{else}}<b>{{end}}",
            "t:1:9: one way through this action ends in an attribute, another in text; close in each what it opens",
        ),
        (
            "{{range .l}}<b title=\"{{end}}",
            "t:1:9: one way through this action ends in an attribute, another in text; close in each what it opens",
        ),
        (
            "<i>\n<a href=\"{{.n}}",
            "t:1:1: the template \"t\" ends in an attribute; close what is open here",
        ),
        (
            "{{define \"d\"}}<p{{end}}",
            "t:1:15: the template \"d\" ends in a tag; close what is open here",
        ),
        (
            "{{define \"d\"}}x{{end}}<p title=\"{{template \"d\"}}\">",
            "t:1:33: a template is called in text, not in an attribute",
        ),
        (
            "<a title=\"x href=\"/y\">",
            "t:1:20: expected an attribute's name; is a quote missing before this?",
        ),
        ("<a {{if .t}}on{{end}}click=\"\">", "t:1:22: expected a space before this in the tag"),
        ("<a href=x\"y>", "t:1:9: put the attribute's value in quotes"),
    ]);
}
