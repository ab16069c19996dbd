// Package caddy gives Caddy PHP: the global option `frankenphp`, the directive `php_server` and the commands
// `php-server` and `php-cli`. It stands in for the package of that name in tests; PHP runs beside it as FastCGI.
package caddy

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/caddyserver/caddy/v2"
	"github.com/caddyserver/caddy/v2/caddyconfig"
	"github.com/caddyserver/caddy/v2/caddyconfig/caddyfile"
	"github.com/caddyserver/caddy/v2/caddyconfig/httpcaddyfile"
	caddycmd "github.com/caddyserver/caddy/v2/cmd"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/fileserver"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/reverseproxy/fastcgi"
	"github.com/caddyserver/caddy/v2/modules/caddyhttp/rewrite"
	"github.com/dunglas/frankenphp"
)

func init() {
	caddy.RegisterModule(App{})
	httpcaddyfile.RegisterGlobalOption("frankenphp", parseOption)
	httpcaddyfile.RegisterDirective("php_server", parseServer)
	caddycmd.RegisterCommand(caddycmd.Command{
		Name:  "php-server",
		Short: "Serves the application inside",
		Func:  serve,
	})
}

// App runs PHP while Caddy runs.
type App struct {
	// PhpIni are settings beside those of php.ini.
	PhpIni map[string]string `json:"php_ini,omitempty"`

	php *exec.Cmd
}

// CaddyModule names the module.
func (App) CaddyModule() caddy.ModuleInfo {
	return caddy.ModuleInfo{ID: "frankenphp", New: func() caddy.Module { return new(App) }}
}

// socket is where PHP of this process listens.
func socket() string {
	return filepath.Join(os.TempDir(), fmt.Sprintf("php-%d.sock", os.Getpid()))
}

// Start starts PHP.
func (a *App) Start() error {
	args := []string{"-b", socket()}
	for name, value := range a.PhpIni {
		args = append(args, "-d", name+"="+value)
	}
	a.php = frankenphp.Command("php-cgi", args...)
	a.php.Env = append(a.php.Env, "PHP_FCGI_CHILDREN=3", "PHP_FCGI_MAX_REQUESTS=0")
	a.php.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM, Setpgid: true}
	return a.php.Start()
}

// Stop ends PHP and removes the application, as FrankenPHP does.
func (a *App) Stop() error {
	var err error
	if a.php != nil && a.php.Process != nil {
		err = syscall.Kill(-a.php.Process.Pid, syscall.SIGTERM)
		_ = a.php.Wait()
	}
	_ = os.Remove(socket())
	if frankenphp.EmbeddedAppPath != "" {
		if removed := os.RemoveAll(frankenphp.EmbeddedAppPath); err == nil {
			err = removed
		}
	}
	return err
}

func parseOption(d *caddyfile.Dispenser, _ interface{}) (interface{}, error) {
	app := App{PhpIni: map[string]string{}}
	for d.Next() {
		for d.NextBlock(0) {
			if d.Val() != "php_ini" {
				return nil, d.Errf("unknown option %s", d.Val())
			}
			for d.NextBlock(1) {
				name := d.Val()
				if !d.NextArg() {
					return nil, d.ArgErr()
				}
				app.PhpIni[name] = d.Val()
			}
		}
	}
	return httpcaddyfile.App{Name: "frankenphp", Value: caddyconfig.JSON(app, nil)}, nil
}

// parseServer is a redirect of folders, a search for files, PHP, and files, as `php_server` documents itself.
func parseServer(h httpcaddyfile.Helper) ([]httpcaddyfile.ConfigValue, error) {
	root := "public"
	for h.Next() {
		for h.NextBlock(0) {
			if h.Val() != "root" || !h.NextArg() {
				return nil, h.Errf("unknown option %s", h.Val())
			}
			root = h.Val()
		}
	}
	if frankenphp.EmbeddedAppPath != "" && !filepath.IsAbs(root) {
		root = filepath.Join(frankenphp.EmbeddedAppPath, root)
	}
	path := func(patterns ...string) caddy.ModuleMap {
		return caddy.ModuleMap{"path": h.JSON(caddyhttp.MatchPath(patterns))}
	}
	handler := func(value interface{}, name string) []json.RawMessage {
		return []json.RawMessage{caddyconfig.JSONModuleObject(value, "handler", name, nil)}
	}
	transport := fastcgi.Transport{Root: root, SplitPath: []string{".php"}}
	routes := caddyhttp.RouteList{
		{
			MatcherSetsRaw: []caddy.ModuleMap{{
				"file": h.JSON(fileserver.MatchFile{
					Root:      root,
					TryFiles:  []string{"{http.request.uri.path}", "{http.request.uri.path}/index.php", "index.php"},
					SplitPath: []string{".php"},
				}),
			}},
			HandlersRaw: handler(rewrite.Rewrite{URI: "{http.matchers.file.relative}"}, "rewrite"),
		},
		{
			MatcherSetsRaw: []caddy.ModuleMap{path("*.php", "*.php/*")},
			HandlersRaw: handler(reverseproxy.Handler{
				TransportRaw: caddyconfig.JSONModuleObject(transport, "protocol", "fastcgi", nil),
				Upstreams:    reverseproxy.UpstreamPool{{Dial: "unix/" + socket()}},
				LoadBalancing: &reverseproxy.LoadBalancing{
					// While PHP starts, its first request waits.
					TryDuration: caddy.Duration(5e9),
				},
			}, "reverse_proxy"),
		},
		{HandlersRaw: handler(fileserver.FileServer{Root: root}, "file_server")},
	}
	return []httpcaddyfile.ConfigValue{{Class: "route", Value: caddyhttp.Subroute{Routes: routes}}}, nil
}

func serve(caddycmd.Flags) (int, error) {
	caddy.TrapSignals()
	if frankenphp.EmbeddedAppPath == "" {
		return caddy.ExitCodeFailedStartup, errors.New("there is no application inside")
	}
	if err := os.Chdir(frankenphp.EmbeddedAppPath); err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	if _, err := os.Stat("php.ini"); err == nil {
		scan := os.Getenv("PHP_INI_SCAN_DIR") + ":" + frankenphp.EmbeddedAppPath
		if err := os.Setenv("PHP_INI_SCAN_DIR", scan); err != nil {
			return caddy.ExitCodeFailedStartup, err
		}
	}
	if _, err := os.Stat("Caddyfile"); err != nil {
		return caddy.ExitCodeFailedStartup, errors.New("the application has no Caddyfile; this stand-in needs one")
	}
	config, _, err := caddycmd.LoadConfig("Caddyfile", "caddyfile")
	if err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	if err := caddy.Load(config, true); err != nil {
		return caddy.ExitCodeFailedStartup, err
	}
	select {}
}

// CLI runs a script as `php-cli` does, and yields its exit code. A script that is not in the current folder is the
// application's.
func CLI(args []string) int {
	if frankenphp.EmbeddedAppPath != "" && len(args) > 0 && !strings.HasPrefix(args[0], "-") {
		if _, err := os.Stat(args[0]); err != nil && strings.HasSuffix(args[0], ".php") {
			args[0] = filepath.Join(frankenphp.EmbeddedAppPath, args[0])
		}
	}
	command := frankenphp.Command("php", args...)
	if err := syscall.Exec(command.Path, command.Args, command.Env); err != nil {
		fmt.Fprintln(os.Stderr, "php-cli:", err)
	}
	return 1
}
