//! Pages byte for byte, what is refused at load, and what fails at rendering.

mod escaping;

use super::*;
use crate::json;
use crate::random::{Random, rounds};

fn page(source: &str, data: &Json) -> Result<String, TemplateError> {
    let mut templates = Templates::new();
    templates.func("join", |args| {
        Ok(args.iter().map(|arg| arg.as_str().unwrap_or("?")).collect::<Vec<_>>().join("-").into())
    });
    templates.func("fail", |_| Err("it is Monday".to_owned()));
    templates.add("t", source)?;
    let mut out = String::new();
    templates.render("t", data, &mut out)?;
    Ok(out)
}

fn data() -> Json {
    json!({
        "t": true, "f": false, "n": 7, "s": "<s>", "l": [1, 2, 3], "e": [], "o": {"x": 1, "y": 2},
        "m": [0, {"k": "v"}], "a": {"b": "B"}, "js": "javascript:alert(1)", "url": "https://x/y?z=1&w=2",
        "q": "a b&c=d/é?#+%41%zz'\"(", "evil": "</script><b>'\"&+\0\u{2028}",
    })
}

fn check(cases: &[(&str, &str)]) {
    for (source, want) in cases {
        let got = page(source, &data()).unwrap_or_else(|error| error.to_string());
        assert_eq!(got, *want, "{source:.80}");
    }
}

/// days.md, day 6: the Go demo's three pages.
#[test]
fn the_pages_of_day_6_come_out_byte_for_byte() {
    let mut templates = Templates::new();
    templates.func("FormatAsDate", |args| match args {
        [Json::Array(ymd)] => {
            let part = |i: usize| ymd.get(i).and_then(Json::as_i64).ok_or("not a date");
            Ok(format!("{}-{:02}-{:02}", part(0)?, part(1)?, part(2)?).into())
        }
        _ => Err("wants one date".to_owned()),
    });
    let sources = [
        (
            "css.tmpl",
            "<html>\n    <link rel=\"stylesheet\" href=\"/assets/css/geektutu.css\">\n    <p>geektutu.css is loaded</p>\n</html>",
        ),
        (
            "arr.tmpl",
            "<!-- templates/arr.tmpl -->\n<html>\n<body>\n    <p>hello, {{.title}}</p>\n    {{range $index, $ele := .stuArr }}\n    <p>{{ $index }}: {{ $ele.Name }} is {{ $ele.Age }} years old</p>\n    {{ end }}\n</body>\n</html>",
        ),
        (
            "custom_func.tmpl",
            "<!-- templates/custom_func.tmpl -->\n<html>\n<body>\n    <p>hello, {{.title}}</p>\n    <p>Date: {{.now | FormatAsDate}}</p>\n</body>\n</html>\n\n",
        ),
    ];
    for (name, source) in sources {
        templates.add(name, source).unwrap();
    }
    let students = json!([{"Name": "Geektutu", "Age": 20}, {"Name": "Jack", "Age": 22}]);
    let render = |name, data| {
        let mut out = String::new();
        templates.render(name, &data, &mut out).unwrap();
        out
    };
    let css = render("css.tmpl", Json::Null);
    assert_eq!((css.len(), css.as_str()), (108, sources[0].1));
    let list = render("arr.tmpl", json!({"title": "gee", "stuArr": students}));
    let want = "\n<html>\n<body>\n    <p>hello, gee</p>\n    \n    <p>0: Geektutu is 20 years old</p>\n    \n    <p>1: Jack is 22 years old</p>\n    \n</body>\n</html>";
    assert_eq!((list.len(), list.as_str()), (141, want));
    let date = render("custom_func.tmpl", json!({"title": "gee", "now": [2019, 8, 17]}));
    let want = "\n<html>\n<body>\n    <p>hello, gee</p>\n    <p>Date: 2019-08-17</p>\n</body>\n</html>\n\n";
    assert_eq!((date.len(), date.as_str()), (82, want));
}

/// Each page was also made by Go 1.19's `html/template`, with the same bytes.
#[test]
fn the_language_does_what_go_does() {
    check(&[
        ("{{.a.b}}|{{.none}}|{{.none.of.it}}|", "B|||"),
        ("{{if .t}}a{{else}}b{{end}}{{if .f}}a{{else if .n}}c{{else}}d{{end}}", "ac"),
        ("{{if .e}}x{{end}}{{if .o}}o{{end}}{{if .s}}s{{end}}{{if 0.0}}z{{end}}", "os"),
        ("{{with .a}}{{.b}}{{$.n}}{{end}}{{with .none}}x{{else}}{{.n}}{{end}}", "B77"),
        ("{{range .l}}<{{.}}>{{end}}{{range .none}}x{{else}}none{{end}}", "&lt;1>&lt;2>&lt;3>none"),
        (
            "{{range $i, $e := .l}}{{$i}}{{$e}}{{.}} {{end}}{{range $e := .l}}{{$e}}{{end}}",
            "011 122 233 123",
        ),
        (
            "{{range $k, $v := .o}}{{$k}}={{$v}};{{end}}{{range .e}}x{{else}}{{.n}}{{end}}",
            "x=1;y=2;7",
        ),
        // $x = changes the one outside, $x := makes another that ends with its {{end}}.
        ("{{$x := 1}}{{if .t}}{{$x = 2}}{{$y := 3}}{{$y}}{{end}}{{$z := 4}}{{$x}}{{$z}}", "324"),
        ("{{$x := 1}}{{with $x := .n}}{{$x}}{{end}}{{$x}}", "71"),
        (
            "{{.s | join \"a\"}} {{join .s .s | join `b\"`}}",
            "a-&lt;s&gt; b&#34;-&lt;s&gt;-&lt;s&gt;",
        ),
        (
            "{{index .o \"x\"}}{{index .o \"z\"}}{{index .m 1 \"k\"}}{{(index .m 1).k}}{{len .s}}{{len .o}}",
            "1vv32",
        ),
        (
            "{{eq .n 7}} {{eq .n 1 2 7}} {{ne .n 7}} {{eq .s \"<s>\"}} {{eq .t true}}",
            "true true false true true",
        ),
        (
            "{{lt 1 2}} {{le 2 2}} {{gt 1 2}} {{ge \"b\" \"a\"}} {{lt -1 2}} {{lt 1.5 2.5}}",
            "true true false true true true",
        ),
        (
            "{{and 1 0 2}} {{and 1 2}} {{or 0 \"\" 3}} {{or 0 .f}} {{not .t}} {{and .f (fail)}}",
            "0 2 3 false false false",
        ),
        ("{{1.5}} {{-3}} {{+3}} {{true}} {{\"q\\\"\\u00e9\"}}", "1.5 -3 3 true q&#34;é"),
        ("a \n {{- 1 -}} \n b {{- /* c }} */ -}} c {{/* x */}} d{{- 3 }} {{-3}}", "a1bc  d3 -3"),
        (
            "{{define \"x\"}}[{{.}}{{template \"y\" .}}]{{end}}{{define \"y\"}}({{$}}){{end}}{{template \"x\" .n}}{{template \"x\"}}",
            "[7(7)][()]",
        ),
        ("{{block \"b\" .a}}<i>{{.b}}</i>{{end}}{{template \"b\"}}", "<i>B</i><i></i>"),
    ]);
    check(&[(
        "{{eq .n 7.0}} {{eq .none nil}} {{gt 18446744073709551615 -1}} {{.o}}",
        "true true true {&#34;x&#34;:1,&#34;y&#34;:2}",
    )]);
}

#[test]
fn mistakes_in_the_language_name_the_place() {
    let deep = "{{if 1}}".repeat(65);
    check(&[
        ("a\n{{if}}x{{end}}", "t:2:5: expected a value"),
        ("{{end}}", "t:1:1: there is nothing that this {{else}} or {{end}} belongs to"),
        (
            "é{{if .x}}{{else}}{{else}}{{end}}",
            "t:1:19: expected {{end}}: the {{else}} before this one was the last",
        ),
        ("\n {{range .x}}", "t:2:14: the file ends, but the action at t:2:2 has no {{end}}"),
        ("{{nofunc 1}}", "t:1:3: no function is named \"nofunc\"; add it before the template"),
        ("{{1 | and | and}}{{and}}", "t:1:20: and needs arguments"),
        (
            "{{if .t}}{{$x := 1}}{{else}}{{$x}}{{end}}",
            "t:1:33: no variable is named $x; declare it with :=",
        ),
        (
            "{{if .t}}{{$x := 1}}{{end}}{{$x}}",
            "t:1:32: no variable is named $x; declare it with :=",
        ),
        ("{{.a b}}", "t:1:6: expected | or the end of the action; only a function takes arguments"),
        ("{{.a | .b}}", "t:1:10: expected a function after |"),
        ("{{`x}}", "t:1:3: this string has no end"),
        ("{{\"x}}", "t:1:3: this string has no end"),
        (
            "{{\"\\x\"}}",
            "t:1:3: this string is wrong: line 1, column 3: expected one of \" \\ / b f n r t u after a backslash, found 'x'",
        ),
        ("{{/* x}}", "t:1:5: this comment has no end; close it with */}}"),
        ("{{/* x */ y}}", "t:1:11: expected }}"),
        ("{{1x}}", "t:1:3: \"1x\" is not a number"),
        ("{{", "t:1:3: expected a value"),
        ("{{(.a}}", "t:1:6: expected )"),
        ("{{.a)}}", "t:1:5: expected }}"),
        ("{{template x}}", "t:1:12: expected a template's name in double quotes"),
        (
            "{{if 1}}{{define \"a\"}}{{end}}{{end}}",
            "t:1:17: define only stands at the top of a file, not inside an action",
        ),
        ("{{define \"a\"}}{{else}}{{end}}", "t:1:23: a define or block has no {{else}}"),
        (&deep, "t:1:517: nested deeper than 64 levels"),
        (&format!("{{{{{}", "(".repeat(100_000)), "t:1:68: nested deeper than 64 levels"),
    ]);
}

#[test]
fn failures_at_rendering_name_the_place() {
    check(&[
        ("\n{{.n | fail}}", "t:2:8: fail: it is Monday"),
        ("{{template \"nope\"}}", "t:1:1: no template is named \"nope\"; add it first"),
        ("{{index .l 9}}", "t:1:3: index: index 9 is out of range, the list has 3"),
        ("{{index .l -1}}", "t:1:3: index: index -1 is out of range, the list has 3"),
        ("{{index .n 1}}", "t:1:3: index: cannot take 1 out of 7"),
        ("{{if eq .n \"7\"}}{{end}}", "t:1:6: eq: cannot compare 7 with \"7\""),
        ("{{len .n}}", "t:1:3: len: 7 has no length"),
        ("{{not}}", "t:1:3: not: needs one argument"),
        ("{{lt 1}}", "t:1:3: lt: needs two arguments"),
        ("{{.n.x}}", "t:1:3: 7 has no field \"x\""),
        ("{{range .n}}{{end}}", "t:1:9: cannot range over 7"),
        (
            "{{define \"r\"}}{{template \"r\"}}{{end}}{{template \"r\"}}",
            "t:1:15: nested deeper than 100 levels; does a template call itself for ever?",
        ),
    ]);
    let error = page("{{.}}", &json!(f64::NAN)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "t:1:3: NaN is not a JSON number; write null or a string in its place"
    );
    let error = Templates::new().render("t", &Json::Null, &mut String::new()).unwrap_err();
    assert_eq!(error.to_string(), "no template is named \"t\"; add it first");
}

/// Two calls at each level would be 2^128 in all; a page is bounded by what it costs.
#[test]
fn a_page_is_bounded() {
    let twice = "{{define \"r\"}}{{with .}}{{template \"r\" .}}{{template \"r\" .}}{{end}}{{end}}{{template \"r\" 1}}";
    let mut templates = Templates::new();
    templates.page_bytes_max(10_000).add("t", "{{range .}}0123456789{{end}}").unwrap();
    let mut out = String::new();
    templates.render("t", &json!(vec![0; 800]), &mut out).unwrap();
    assert_eq!(out.len(), 8000);
    let error = templates.render("t", &json!(vec![0; 900]), &mut out).unwrap_err();
    let want = "the page is over 10000 bytes and steps; raise Templates::page_bytes_max";
    assert_eq!(error.to_string(), format!("t:1:12: {want}"));
    templates.add("twice", twice).unwrap();
    assert!(templates.render("twice", &Json::Null, &mut out).is_err());
}

/// The server's threads have 256 KiB; the deepest page must leave some of it.
#[test]
fn the_deepest_page_fits_a_small_stack() {
    const STACK: usize = 160;
    let deepest = || {
        let sum = "(".repeat(60) + "len \"a\"" + &")".repeat(60);
        let body = format!("{{{{range .}}}}{{{{{sum}}}}}{{{{template \"r\" $}}}}{{{{end}}}}");
        let recursion = format!("{{{{define \"r\"}}}}{body}{{{{end}}}}{{{{template \"r\" .}}}}");
        let error = page(&recursion, &json!([1])).unwrap_err().to_string();
        assert!(error.contains("nested deeper than 100 levels"), "{error}");
        let ranges = "{{range $}}".repeat(64) + "{{.}}" + &"{{else}}{{end}}".repeat(64);
        assert_eq!(page(&ranges, &json!([1])).unwrap(), "1");
    };
    std::thread::Builder::new().stack_size(STACK << 10).spawn(deepest).unwrap().join().unwrap();
}

/// Whatever is changed in a good template: an error or a page, and never a panic.
#[test]
fn no_change_of_bytes_brings_it_down() {
    const SEED: &str = "<!-- c --><a href=\"/é?x={{.q | join \"a\\n\"}}\" class='{{if eq .n 7}}b{{else}}{{.s}}{{end}}'>\
        {{- range $i, $e := .l}}<b>{{$i}}{{index $.l $i}}</b>{{end -}}</a><script>x = {{.o}} + '/'</script>\
        {{with (index .m 1)}}{{.k}}{{end}}{{block \"p\" .}}<title>{{len .s}}</title>{{end}}{{/* c */}}";
    const TOKENS: [&str; 16] =
        ["{{", "}}", "-", "(", ")", "|", "$", ".", "\"", "'", "`", "<", ">", "/", "=", "é"];
    let (data, mut random, mut pages) = (data(), Random(1), 0);
    let rounds = rounds(5_000);
    for _ in 0..rounds {
        let source = String::from_utf8_lossy(&random.change(SEED.as_bytes(), &TOKENS)).into_owned();
        pages += u64::from(page(&source, &data).is_ok());
    }
    let share = rounds / 50..rounds - rounds / 50;
    assert!(share.contains(&pages), "{pages} of the changed templates made a page");
}

/// Add a function: `{{plural .n "apple" "apples"}}` is `1 apple`, `2 apples`.
#[test]
#[ignore = "exercise: write plural"]
fn exercise_plural() {
    let mut templates = Templates::new();
    templates.func("plural", |_args| Err("your code".to_owned()));
    templates.add("t", "{{range .}}{{plural . \"apple\" \"apples\"}} {{end}}").unwrap();
    let mut out = String::new();
    templates.render("t", &json!([0, 1, 2]), &mut out).unwrap();
    assert_eq!(out, "0 apples 1 apple 2 apples ");
}

/// Write `base`, which `home` fills: a head with a title and a body, each a block with a default.
#[test]
#[ignore = "exercise: write base"]
fn exercise_layout() {
    let base = ""; // your template
    let mut templates = Templates::new();
    templates.add("base", base).unwrap();
    let render = |templates: &Templates, name| {
        let mut out = String::new();
        templates.render(name, &json!({"user": "<Tom>"}), &mut out).unwrap();
        out
    };
    assert_eq!(render(&templates, "base"), "<title>Gee</title><p>nothing here</p>");
    let home = "{{define \"title\"}}Home{{end}}{{define \"body\"}}<p>hi {{.user}}</p>{{end}}{{template \"base\" .}}";
    templates.add("home", home).unwrap();
    assert_eq!(render(&templates, "home"), "<title>Home</title><p>hi &lt;Tom&gt;</p>");
}
