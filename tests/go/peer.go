// The Go side of our interop tests and benches: Go's own net/rpc, jsonrpc and gob.
//
//	peer serve          serves Foo and Echo: prints "tcp ADDR", "json ADDR", "http ADDR", "gee ADDR", "unix PATH"
//	peer check KIND ADDR CALLERS CALLS   calls a server and checks every reply
//	peer bench-serve    serves Foo.Sum alone: prints "tcp ADDR"
//	peer bench ADDR CONNS CALLERS SECONDS   prints calls per second
package main

import (
	"bufio"
	"encoding/gob"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/rpc"
	"net/rpc/jsonrpc"
	"os"
	"path/filepath"
	"reflect"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

type Args struct{ Num1, Num2 int }

type Point struct{ X, Y float64 }

type Record struct {
	Name   string
	Score  float64
	F32    float32
	Delta  int64
	Small  int8
	Count  uint64
	Ok     bool
	Data   []byte
	Tags   []string
	Points []Point
	Grid   [3]int
	Table  map[string]int
	Codes  map[int]string
	Inner  Point
	Maybe  *Point
	Empty  struct{}
}

type Foo int

func (Foo) Sum(args Args, reply *int) error { *reply = args.Num1 + args.Num2; return nil }
func (Foo) Sleep(args Args, reply *int) error {
	time.Sleep(time.Duration(args.Num1) * time.Second)
	*reply = args.Num1 + args.Num2
	return nil
}
func (Foo) Fail(args Args, reply *int) error { return errors.New("boom 100%s") }

type Echo int

func (Echo) Text(args string, reply *string) error         { *reply = args; return nil }
func (Echo) Bytes(args []byte, reply *[]byte) error        { *reply = args; return nil }
func (Echo) Nothing(args struct{}, reply *struct{}) error  { return nil }
func (Echo) Record(args Record, reply *Record) error       { *reply = args; return nil }

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, "peer:", err)
		os.Exit(1)
	}
}

func listen(network, addr string) net.Listener {
	l, err := net.Listen(network, addr)
	must(err)
	return l
}

func newServer() *rpc.Server {
	s := rpc.NewServer()
	must(s.Register(new(Foo)))
	must(s.Register(new(Echo)))
	return s
}

// serveGee is GeeRPC's handshake as the tutorial does it: a JSON decoder that swallows what it
// reads too much, then gob on the bare connection.
func serveGee(l net.Listener) {
	for {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			var opt struct {
				MagicNumber int
				CodecType   string
			}
			if json.NewDecoder(conn).Decode(&opt) != nil || opt.MagicNumber != 0x3bef5c {
				return
			}
			dec, out := gob.NewDecoder(conn), bufio.NewWriter(conn)
			enc := gob.NewEncoder(out)
			for {
				var h Header
				var args Args
				if dec.Decode(&h) != nil || dec.Decode(&args) != nil {
					return
				}
				enc.Encode(h)
				enc.Encode(args.Num1 + args.Num2)
				out.Flush()
			}
		}()
	}
}

// Header is GeeRPC's, of requests and replies alike.
type Header struct {
	ServiceMethod string
	Seq           uint64
	Error         string
}

// geeClient makes net/rpc's client speak GeeRPC.
type geeClient struct {
	conn net.Conn
	out  *bufio.Writer
	dec  *gob.Decoder
	enc  *gob.Encoder
}

// newGeeClient sends the option and reads on at once: nothing is waited for.
func newGeeClient(conn net.Conn) *rpc.Client {
	out := bufio.NewWriter(conn)
	must(json.NewEncoder(out).Encode(map[string]any{"MagicNumber": 0x3bef5c, "CodecType": "application/gob"}))
	return rpc.NewClientWithCodec(&geeClient{conn, out, gob.NewDecoder(conn), gob.NewEncoder(out)})
}

func (c *geeClient) WriteRequest(r *rpc.Request, body any) error {
	// GeeRPC counts from 1.
	if err := c.enc.Encode(&Header{r.ServiceMethod, r.Seq + 1, ""}); err != nil {
		return err
	}
	if err := c.enc.Encode(body); err != nil {
		return err
	}
	return c.out.Flush()
}

func (c *geeClient) ReadResponseHeader(r *rpc.Response) error {
	var h Header
	err := c.dec.Decode(&h)
	r.ServiceMethod, r.Seq, r.Error = h.ServiceMethod, h.Seq-1, h.Error
	return err
}

func (c *geeClient) ReadResponseBody(body any) error { return c.dec.Decode(body) }
func (c *geeClient) Close() error                    { return c.conn.Close() }

// connect asks an HTTP server for the connection, as the tutorial does.
func connect(addr string) net.Conn {
	conn, err := net.Dial("tcp", addr)
	must(err)
	io.WriteString(conn, "CONNECT /_geeprc_ HTTP/1.0\n\n")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: "CONNECT"})
	must(err)
	same("status", resp.Status, "200 Connected to Gee RPC")
	return conn
}

func serve() {
	s := newServer()
	tcp, js, web, gee := listen("tcp", "127.0.0.1:0"), listen("tcp", "127.0.0.1:0"), listen("tcp", "127.0.0.1:0"), listen("tcp", "127.0.0.1:0")
	dir, err := os.MkdirTemp("", "peer")
	must(err)
	path := filepath.Join(dir, "s")
	unix := listen("unix", path)
	go s.Accept(tcp)
	go s.Accept(unix)
	go serveGee(gee)
	go func() {
		for {
			conn, err := js.Accept()
			must(err)
			go s.ServeCodec(jsonrpc.NewServerCodec(conn))
		}
	}()
	mux := http.NewServeMux()
	mux.Handle(rpc.DefaultRPCPath, s)
	go http.Serve(web, mux)
	fmt.Printf("tcp %s\njson %s\nhttp %s\ngee %s\nunix %s\n", tcp.Addr(), js.Addr(), web.Addr(), gee.Addr(), path)
	io.Copy(io.Discard, os.Stdin) // until the parent goes
	os.RemoveAll(dir)
}

func dial(kind, addr string) *rpc.Client {
	var c *rpc.Client
	var err error
	switch kind {
	case "tcp", "unix":
		c, err = rpc.Dial(kind, addr)
	case "http":
		c, err = rpc.DialHTTP("tcp", addr)
	case "json":
		c, err = jsonrpc.Dial("tcp", addr)
	case "gee":
		conn, e := net.Dial("tcp", addr)
		must(e)
		c = newGeeClient(conn)
	case "geehttp":
		c = newGeeClient(connect(addr))
	}
	must(err)
	return c
}

func same(what string, got, want any) {
	if !reflect.DeepEqual(got, want) {
		must(fmt.Errorf("%s: got %+v, want %+v", what, got, want))
	}
}

func fails(what string, err error, want string) {
	if err == nil || !strings.Contains(err.Error(), want) {
		must(fmt.Errorf("%s: got error %v, want %q", what, err, want))
	}
}

func check(kind, addr string, callers, calls int) {
	c := dial(kind, addr)
	var sum int
	must(c.Call("Foo.Sum", Args{3, 4}, &sum))
	same("sum", sum, 7)
	must(c.Call("Foo.Sum", &Args{0, 0}, &sum))
	same("zero sum", sum, 7-7)
	fails("fail", c.Call("Foo.Fail", Args{}, &sum), "boom 100%s")
	// GeeRPC's texts are its own.
	method, service, who := "rpc: can't find method Foo.Nope", "rpc: can't find service Bar.Nope", "rpc"
	if strings.HasPrefix(kind, "gee") {
		method, service, who = "rpc server: can't find method Nope", "rpc server: can't find service Bar", "rpc server"
	}
	fails("nomethod", c.Call("Foo.Nope", Args{1, 2}, &sum), method)
	fails("noservice", c.Call("Bar.Nope", Args{1, 2}, &sum), service)
	fails("illformed", c.Call("nodot", Args{1, 2}, &sum), who+": service/method request ill-formed: nodot")
	fails("badargs", c.Call("Foo.Sum", "a string", &sum), "main.Args")
	must(c.Call("Foo.Sum", Args{-5, 4}, &sum))
	same("sum after errors", sum, -1)

	var text string
	must(c.Call("Echo.Text", "héllo 世界\n\x00", &text))
	same("text", text, "héllo 世界\n\x00")
	big := make([]byte, 1<<20)
	for i := range big {
		big[i] = byte(i * 7)
	}
	var bytes []byte
	must(c.Call("Echo.Bytes", big, &bytes))
	same("1 MiB", bytes, big)
	must(c.Call("Echo.Nothing", struct{}{}, &struct{}{}))

	full := Record{
		Name: "n", Score: 1.5, F32: 0.25, Delta: -1 << 62, Small: -128, Count: 1<<64 - 1, Ok: true,
		Data: []byte{0, 255}, Tags: []string{"a", ""}, Points: []Point{{1, 2}, {}}, Grid: [3]int{1, 0, -3},
		Table: map[string]int{"k": 7, "": 0}, Codes: map[int]string{-1: "x"}, Inner: Point{0, 9}, Maybe: &Point{},
	}
	var back Record
	must(c.Call("Echo.Record", full, &back))
	same("record", back, full)
	back = Record{}
	must(c.Call("Echo.Record", Record{}, &back))
	same("zero record", back, Record{})

	var wait sync.WaitGroup
	for n := 0; n < callers; n++ {
		wait.Add(1)
		go func(n int) {
			defer wait.Done()
			for i := 0; i < calls; i++ {
				var sum int
				if i%50 == 49 {
					fails("nomethod", c.Call("Foo.Nope", Args{n, i}, &sum), "can't find method")
					continue
				}
				must(c.Call("Foo.Sum", Args{n * 1000, i}, &sum))
				same("many", sum, n*1000+i)
			}
		}(n)
	}
	wait.Wait()
	must(c.Close())
	fmt.Println("ok")
}

func bench(addr string, conns, callers int, seconds float64) {
	var total int64
	stop := time.Now().Add(time.Duration(seconds * float64(time.Second)))
	start := time.Now()
	var wait sync.WaitGroup
	for i := 0; i < conns; i++ {
		c := dial("tcp", addr)
		for j := 0; j < callers; j++ {
			wait.Add(1)
			go func() {
				defer wait.Done()
				n := int64(0)
				for ; n%16 != 0 || time.Now().Before(stop); n++ {
					var sum int
					must(c.Call("Foo.Sum", Args{3, int(n)}, &sum))
				}
				atomic.AddInt64(&total, n)
			}()
		}
	}
	wait.Wait()
	fmt.Printf("%d %.3f\n", total, time.Since(start).Seconds())
}

func main() {
	number := func(i int) int {
		n, err := strconv.Atoi(os.Args[i])
		must(err)
		return n
	}
	switch os.Args[1] {
	case "serve":
		serve()
	case "check":
		check(os.Args[2], os.Args[3], number(4), number(5))
	case "bench-serve":
		l := listen("tcp", "127.0.0.1:0")
		fmt.Printf("tcp %s\n", l.Addr())
		newServer().Accept(l)
	case "bench":
		seconds, err := strconv.ParseFloat(os.Args[5], 64)
		must(err)
		bench(os.Args[2], number(3), number(4), seconds)
	}
}
