package frankenphp

// #include <stdlib.h>
// #include <php_standin.h>
import "C"

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"

	"github.com/dunglas/frankenphp/bundle"
)

// PHPVersion is what the linked library says it was made from.
func PHPVersion() string {
	return C.GoString(C.php_standin_version())
}

var once sync.Once

// php unpacks PHP with its libraries, once in a process, and yields its folder.
func php() string {
	folder := filepath.Join(os.TempDir(), "php_"+bundle.Checksum)
	once.Do(func() {
		if err := unpack(bundle.Archive, folder, true); err != nil {
			panic(err)
		}
	})
	return folder
}

// Command is PHP's program of that name (php, php-cgi), without anything of the host: its own loader, libraries,
// extensions and settings. PHP_INI_SCAN_DIR adds folders as it does for the real one.
func Command(program string, args ...string) *exec.Cmd {
	folder := php()
	loader := filepath.Join(folder, "lib", "loader")
	line := []string{
		"--library-path", filepath.Join(folder, "lib"), "--argv0", "/osv4-prod/none",
		filepath.Join(folder, "bin", program), "-c", filepath.Join(folder, "php.ini"),
		"-d", "extension_dir=" + filepath.Join(folder, "ext"),
	}
	command := exec.Command(loader, append(line, args...)...)
	scan := filepath.Join(folder, "conf.d")
	for _, more := range strings.Split(os.Getenv("PHP_INI_SCAN_DIR"), ":") {
		if more != "" {
			scan += ":" + more
		}
	}
	for _, variable := range os.Environ() {
		if !strings.HasPrefix(variable, "PHP_INI_SCAN_DIR=") {
			command.Env = append(command.Env, variable)
		}
	}
	command.Env = append(command.Env, "PHP_INI_SCAN_DIR="+scan)
	command.Stdin, command.Stdout, command.Stderr = os.Stdin, os.Stdout, os.Stderr
	return command
}
