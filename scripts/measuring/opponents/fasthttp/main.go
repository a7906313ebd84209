// A simple mock chat endpoint with fasthttp: typed structs, encoding/json, a sleep for the latency.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand"
	"net"
	"sync/atomic"
	"time"

	"github.com/valyala/fasthttp"
)

type message struct {
	Role    string  `json:"role"`
	Content string  `json:"content"`
	Refusal *string `json:"refusal"`
}

type choice struct {
	Index        int     `json:"index"`
	Message      message `json:"message"`
	Logprobs     *string `json:"logprobs"`
	FinishReason string  `json:"finish_reason"`
}

type usage struct {
	PromptTokens     int `json:"prompt_tokens"`
	CompletionTokens int `json:"completion_tokens"`
	TotalTokens      int `json:"total_tokens"`
}

type completion struct {
	ID      string   `json:"id"`
	Object  string   `json:"object"`
	Created int64    `json:"created"`
	Model   string   `json:"model"`
	Choices []choice `json:"choices"`
	Usage   usage    `json:"usage"`
}

type request struct {
	Model string `json:"model"`
}

var (
	latency time.Duration
	content string
	number  uint64
)

func handle(ctx *fasthttp.RequestCtx) {
	if string(ctx.Path()) != "/v1/chat/completions" {
		ctx.SetStatusCode(fasthttp.StatusNotFound)
		return
	}
	var chat request
	if err := json.Unmarshal(ctx.PostBody(), &chat); err != nil {
		ctx.SetStatusCode(fasthttp.StatusBadRequest)
		return
	}
	if latency > 0 {
		time.Sleep(latency)
	}
	prompt, answer := 100+rand.Intn(400), 100+rand.Intn(400)
	ctx.SetContentType("application/json")
	err := json.NewEncoder(ctx).Encode(completion{
		ID:      fmt.Sprintf("chatcmpl-%016x", atomic.AddUint64(&number, 1)),
		Object:  "chat.completion",
		Created: time.Now().Unix(),
		Model:   chat.Model,
		Choices: []choice{{
			Message:      message{Role: "assistant", Content: content},
			FinishReason: "stop",
		}},
		Usage: usage{prompt, answer, prompt + answer},
	})
	if err != nil {
		log.Print(err)
	}
}

func main() {
	millis := flag.Float64("latency", 0, "milliseconds")
	flag.StringVar(&content, "content", "", "what is answered")
	flag.Parse()
	latency = time.Duration(*millis * float64(time.Millisecond))
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	server := &fasthttp.Server{Handler: handle, MaxRequestBodySize: 64 << 20}
	log.Fatal(server.Serve(listener))
}
