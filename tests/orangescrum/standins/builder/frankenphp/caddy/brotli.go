package caddy

import (
	"github.com/andybalholm/brotli"
	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/encode"
)

func init() {
	caddy.RegisterModule(Brotli{})
}

// Brotli is the encoder `br`, which FrankenPHP has from a module of others.
type Brotli struct{}

// CaddyModule names the module.
func (Brotli) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "http.encoders.br", New: func() caddy.Module { return new(Brotli) }}
}

// AcceptEncoding is what browsers call it.
func (Brotli) AcceptEncoding() string { return "br" }

// NewEncoder makes an encoder.
func (Brotli) NewEncoder() encode.Encoder { return brotli.NewWriter(nil) }

// UnmarshalCaddyfile reads nothing: it has no options.
func (Brotli) UnmarshalCaddyfile(*caddyfile.Dispenser) error { return nil }
