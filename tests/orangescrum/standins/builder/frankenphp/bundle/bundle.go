// Package bundle holds PHP as an archive. A package of its own, so that another application compiles nothing of it.
package bundle

import _ "embed"

// Archive is PHP with its libraries, made by spc.
//
//go:embed php.tar
var Archive []byte

// Checksum names the folder that it is unpacked to.
//
//go:embed php_checksum.txt
var Checksum string
