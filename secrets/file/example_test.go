package file_test

import (
	"context"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"github.com/mcp-login/mcp-login/secrets"
	"github.com/mcp-login/mcp-login/secrets/file"
)

func Example() {
	ctx := context.Background()
	home, err := os.MkdirTemp("", "example")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(home)

	store, err := file.Open(file.Config{
		Dir:    filepath.Join(home, "data"),
		Keeper: file.KeyFile{Dir: filepath.Join(home, "keys")},
	})
	if err != nil {
		log.Fatal(err)
	}
	version, err := store.Put(ctx, "notion", []byte("a secret"), secrets.Absent)
	if err != nil {
		log.Fatal(err)
	}
	// Replace it only if no other process has done so since.
	if _, err := store.Put(ctx, "notion", []byte("a newer secret"), version); err != nil {
		log.Fatal(err)
	}
	data, _, err := store.Get(ctx, "notion")
	fmt.Println(string(data), err)
	// Output: a newer secret <nil>
}
