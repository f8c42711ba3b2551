package main

import (
	"context"
	"fmt"
	"strings"

	"github.com/urfave/cli/v2"

	"github.com/mcp-login/mcp-login/secrets/file"
	"github.com/mcp-login/mcp-login/secrets/keyring"
)

type storeStatusOptions struct {
	common
	json bool
}

func newStoreStatus(e *env) *cli.Command {
	var o storeStatusOptions
	return e.command(&cli.Command{
		Name: "status", Usage: "tell which store it is, who keeps its key, and what that protects against whom",
		UsageText: "mcp-login store status",
		Flags:     []cli.Flag{boolFlag("json", "as JSON", &o.json)},
	}, &o.common, func(ctx context.Context, _ []string) error { return runStoreStatus(ctx, e, o) })
}

// storeReport is what is told of a store. As JSON it is a contract: it is added
// to, never changed.
type storeReport struct {
	Store      string   `json:"store"`
	Path       string   `json:"path,omitempty"`
	Mode       string   `json:"mode,omitempty"`
	Address    string   `json:"address,omitempty"`
	Keeper     string   `json:"keeper,omitempty"`
	KeyPath    string   `json:"key_path,omitempty"`
	Records    int      `json:"records"`
	Unlocked   bool     `json:"unlocked,omitempty"` // the kernel remembers the key
	Rekeying   bool     `json:"rekeying,omitempty"`
	Problem    string   `json:"problem,omitempty"` // why the key cannot be had
	SafeFrom   []string `json:"safe_from,omitempty"`
	ReadableBy []string `json:"readable_by,omitempty"`
}

func runStoreStatus(ctx context.Context, e *env, o storeStatusOptions) error {
	dir, files, err := e.filesOf(&o.common)
	if err != nil {
		return err
	}
	var r storeReport
	if files {
		r, err = e.filesReport(ctx, &o.common, dir)
	} else {
		r, err = e.vaultReport(ctx, &o.common)
	}
	if err != nil {
		return err
	}
	if o.json {
		return e.answerJSON(r)
	}
	return e.answer(r.text())
}

func (e *env) filesReport(ctx context.Context, o *common, dir string) (storeReport, error) {
	s, err := e.openFiles(ctx, dir, o.keeper, false)
	if err != nil {
		return storeReport{}, err
	}
	st, err := s.Status(ctx)
	if err != nil {
		return storeReport{}, err
	}
	r := storeReport{Store: "file:" + dir, Path: st.Dir, Keeper: st.Keeper, Records: st.Records, Rekeying: st.Rekeying}
	if st.Mode != 0 {
		r.Mode = fmt.Sprintf("%04o", st.Mode.Perm())
	}
	if st.Keeper == "" {
		return r, nil
	}
	r.Unlocked = file.KernelCache{}.Remembers(st.Key)
	if st.Keeper == (file.KeyFile{}).Kind() {
		keys, err := e.userDir(e.dirs().Keys())
		if err != nil {
			return r, err
		}
		r.KeyPath = file.KeyFile{Dir: keys}.Path(st.Key)
	}
	r.SafeFrom, r.ReadableBy = protection(st.Keeper)
	if err := s.Unlock(ctx); err != nil {
		r.Problem = e.hidden.clean(oneLine(err.Error()))
	}
	return r, nil
}

// protection says whom a store of files protects from, and whom not.
func protection(kind string) (safe, readable []string) {
	const (
		copies  = "who has a copy of the folder"
		users   = "other users of this machine"
		self    = "every program that runs as you"
		root    = "root"
		offline = "who has the disk while you are not logged in"
	)
	switch kind {
	case (file.Passphrase{}).Kind():
		return []string{copies + ", as good as the passphrase is", users},
			[]string{self + " while it is unlocked or the passphrase is in its reach", root + ", likewise"}
	case (keyring.Keeper{}).Kind():
		return []string{copies, users, offline}, []string{self + " while you are logged in", root + ", likewise"}
	}
	return []string{copies + " alone", users}, []string{self, root, "who has copies of the folder and of the key file"}
}

func (e *env) vaultReport(ctx context.Context, o *common) (storeReport, error) {
	s, err := e.openStore(ctx, o, false)
	if err != nil {
		return storeReport{}, err
	}
	names, err := s.List(ctx)
	if err != nil {
		return storeReport{}, err
	}
	client, err := e.vaultClient() // for where it is
	if err != nil {
		return storeReport{}, err
	}
	return storeReport{
		Store: o.store, Address: client.Address(), Records: len(names),
		SafeFrom:   []string{"who has this machine's disk", "other users of this machine"},
		ReadableBy: []string{"who may read this path in Vault", "every program that runs as you while your Vault token is in its reach", "the administrators of Vault"},
	}, nil
}

func (r storeReport) text() string {
	var t table
	t.fact("store", r.Store)
	t.fact("address", r.Address)
	t.fact("path", r.Path)
	t.fact("mode", r.Mode)
	if r.Path != "" && r.Keeper == "" {
		t.fact("keeper", "chosen by the first login")
	}
	t.fact("keeper", r.Keeper)
	t.fact("key", r.KeyPath)
	t.fact("records", fmt.Sprint(r.Records))
	if r.Unlocked {
		t.fact("unlocked", "the kernel remembers the key")
	}
	if r.Rekeying {
		t.fact("rekeying", "was interrupted: run mcp-login store rekey again")
	}
	t.fact("problem", r.Problem)
	t.fact("safe from", strings.Join(r.SafeFrom, "; "))
	t.fact("readable by", strings.Join(r.ReadableBy, "; "))
	return t.String()
}
