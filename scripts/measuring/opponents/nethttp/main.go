// A simple mock chat endpoint with Go's net/http.
package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"log"
	"math/rand"
	"net"
	"net/http"
	"sync/atomic"
	"time"
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

func main() {
	millis := flag.Float64("latency", 0, "milliseconds")
	content := flag.String("content", "", "what is answered")
	flag.Parse()
	latency := time.Duration(*millis * float64(time.Millisecond))
	var number uint64
	http.HandleFunc("/v1/chat/completions", func(w http.ResponseWriter, r *http.Request) {
		var chat request
		if err := json.NewDecoder(r.Body).Decode(&chat); err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		if latency > 0 {
			time.Sleep(latency)
		}
		prompt, answer := 100+rand.Intn(400), 100+rand.Intn(400)
		bytes, err := json.Marshal(completion{
			ID:      fmt.Sprintf("chatcmpl-%016x", atomic.AddUint64(&number, 1)),
			Object:  "chat.completion",
			Created: time.Now().Unix(),
			Model:   chat.Model,
			Choices: []choice{{
				Message:      message{Role: "assistant", Content: *content},
				FinishReason: "stop",
			}},
			Usage: usage{prompt, answer, prompt + answer},
		})
		if err != nil {
			log.Print(err)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Content-Length", fmt.Sprint(len(bytes)))
		_, _ = w.Write(bytes)
	})
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Printf("listening on http://%s\n", listener.Addr())
	log.Fatal(http.Serve(listener, nil))
}
