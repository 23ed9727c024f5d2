// A groupcache node for the interoperability test of tests/tests/cache_go.rs.
//
// It listens on a port of its own, prints "listening on http://HOST:PORT", and serves
//
//	/_groupcache/GROUP/KEY  what peers ask (groupcache's own handler)
//	/peers?urls=A,B,C       sets the list of peers
//	/api?key=K              what users ask
//	/loads                  how often the getter was called, by key, as JSON
//
// Built with Debian's golang-github-golang-groupcache-dev:
//
//	GO111MODULE=off GOPATH=/usr/share/gocode go build
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log"
	"net"
	"net/http"
	"strings"
	"sync"

	"github.com/golang/groupcache"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	self := "http://" + listener.Addr().String()
	pool := groupcache.NewHTTPPoolOpts(self, nil)

	var mu sync.Mutex
	loads := map[string]int{}
	group := groupcache.NewGroup("scores", 64<<20, groupcache.GetterFunc(
		func(_ context.Context, key string, dest groupcache.Sink) error {
			mu.Lock()
			loads[key]++
			mu.Unlock()
			switch {
			case strings.HasPrefix(key, "missing"):
				return errors.New(key + " not exist")
			case strings.HasPrefix(key, "empty"):
				return dest.SetBytes(nil)
			case strings.HasPrefix(key, "large"):
				return dest.SetString(strings.Repeat(key, 10000))
			}
			return dest.SetString("value of " + key)
		}))

	http.Handle("/_groupcache/", pool)
	http.HandleFunc("/peers", func(w http.ResponseWriter, r *http.Request) {
		pool.Set(strings.Split(r.FormValue("urls"), ",")...)
	})
	http.HandleFunc("/api", func(w http.ResponseWriter, r *http.Request) {
		var value []byte
		err := group.Get(r.Context(), r.FormValue("key"), groupcache.AllocatingByteSliceSink(&value))
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Write(value)
	})
	http.HandleFunc("/loads", func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		defer mu.Unlock()
		json.NewEncoder(w).Encode(loads)
	})
	fmt.Println("listening on " + self)
	log.Fatal(http.Serve(listener, nil))
}
