// Package frankenphp holds an application, unpacks it when the program starts, and runs PHP for it.
// It stands in for the package of that name in tests: the same archive, the same rules of unpacking.
// PHP is Debian's, which is unpacked beside the application; the real one is linked in.
package frankenphp

import (
	"archive/tar"
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

//go:embed app.tar
var app []byte

//go:embed app_checksum.txt
var appChecksum string

// EmbeddedAppPath is where the application was unpacked, or empty without one.
var EmbeddedAppPath string

func init() {
	if len(app) == 0 {
		return
	}
	EmbeddedAppPath = filepath.Join(os.TempDir(), "frankenphp_"+appChecksum)
	if err := unpack(app, EmbeddedAppPath, false); err != nil {
		_ = os.RemoveAll(EmbeddedAppPath)
		panic(err)
	}
}

// unpack writes the files of an archive that are not there yet. Links are left out unless asked for.
func unpack(archive []byte, into string, links bool) error {
	reader := tar.NewReader(bytes.NewReader(archive))
	for {
		entry, err := reader.Next()
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		name := filepath.Clean(entry.Name)
		if filepath.IsAbs(name) || name == ".." || strings.HasPrefix(name, "../") {
			return fmt.Errorf("the archive holds the name %q", entry.Name)
		}
		place := filepath.Join(into, name)
		mode := entry.FileInfo().Mode()
		switch {
		case mode.IsDir():
			err = os.MkdirAll(place, mode.Perm())
		case mode.IsRegular():
			err = write(place, reader, entry)
		case mode&os.ModeSymlink != 0:
			if err = nil; links {
				err = os.Symlink(entry.Linkname, place)
			}
			if errors.Is(err, fs.ErrExist) {
				err = nil
			}
		default:
			err = fmt.Errorf("%q is neither file nor folder", entry.Name)
		}
		if err != nil {
			return err
		}
	}
}

func write(place string, content io.Reader, entry *tar.Header) error {
	if _, err := os.Stat(place); err == nil {
		return nil
	}
	if err := os.MkdirAll(filepath.Dir(place), 0o755); err != nil {
		return err
	}
	file, err := os.OpenFile(place, os.O_WRONLY|os.O_CREATE|os.O_TRUNC, entry.FileInfo().Mode().Perm())
	if err != nil {
		return err
	}
	_, err = io.Copy(file, content)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err != nil {
		return err
	}
	return os.Chtimes(place, entry.ModTime, entry.ModTime)
}
