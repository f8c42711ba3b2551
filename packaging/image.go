package main

import (
	"archive/tar"
	"bytes"
	"encoding/pem"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"golang.org/x/crypto/x509roots/fallback/bundle"
)

// The user of the image, who owns only the home folder.
const (
	imageUID  = 65532
	imageHome = "/home/mcp-login"
)

// imagePlatforms are the platforms of the image.
var imagePlatforms = []string{"linux/amd64", "linux/arm64", "linux/arm/7"}

// writeImage writes the image for all platforms as an OCI layout. There is no
// base image: the program is static.
func writeImage(r *release) error {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range imagePlatforms {
		img, err := image(r, platform)
		if err != nil {
			return fmt.Errorf("image for %s: %w", platform, err)
		}
		p, err := v1.ParsePlatform(strings.Replace(platform, "/7", "/v7", 1))
		if err != nil {
			return err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: img, Descriptor: v1.Descriptor{Platform: p}})
	}
	dir := filepath.Join(r.dir, "image")
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	path, err := layout.Write(dir, empty.Index)
	if err != nil {
		return err
	}
	return path.AppendIndex(index, layout.WithAnnotations(map[string]string{"org.opencontainers.image.ref.name": r.version}))
}

// image returns the image for one platform.
func image(r *release, platform string) (v1.Image, error) {
	files, err := imageFiles(r, platform)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil }, tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	img, err := mutate.AppendLayers(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), layer)
	if err != nil {
		return nil, err
	}
	config, err := img.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	parts := strings.Split(platform, "/")
	config.OS, config.Architecture = parts[0], parts[1]
	if len(parts) > 2 {
		config.Variant = "v" + parts[2]
	}
	config.Created = v1.Time{Time: r.date}
	config.History = []v1.History{{Created: config.Created, CreatedBy: "mcp-login " + r.version}}
	config.Config = v1.Config{
		Entrypoint: []string{"/usr/bin/mcp-login"},
		User:       fmt.Sprintf("%d:%[1]d", imageUID),
		WorkingDir: imageHome,
		Env:        []string{"PATH=/usr/bin", "HOME=" + imageHome},
		Volumes:    map[string]struct{}{imageHome: {}},
		Labels: map[string]string{
			"org.opencontainers.image.title":       "mcp-login",
			"org.opencontainers.image.description": description,
			"org.opencontainers.image.licenses":    license,
			"org.opencontainers.image.source":      homepage,
			"org.opencontainers.image.version":     r.version,
			"org.opencontainers.image.revision":    r.commit,
		},
	}
	return mutate.ConfigFile(img, config)
}

// imageFiles returns the only layer: the program, public root certificates, and
// a user with a home folder.
func imageFiles(r *release, platform string) ([]byte, error) {
	program, err := r.binary(platform)
	if err != nil {
		return nil, err
	}
	var buf bytes.Buffer
	w := tar.NewWriter(&buf)
	for _, f := range []struct {
		name string
		mode int64
		uid  int
		data []byte
	}{
		{name: "etc/", mode: 0o755},
		{name: "etc/group", mode: 0o644, data: fmt.Appendf(nil, "root:x:0:\nmcp-login:x:%d:\n", imageUID)},
		{name: "etc/passwd", mode: 0o644, data: fmt.Appendf(nil, "root:x:0:0:root:/:/sbin/nologin\nmcp-login:x:%d:%[1]d:mcp-login:%s:/sbin/nologin\n", imageUID, imageHome)},
		{name: "etc/ssl/", mode: 0o755},
		{name: "etc/ssl/certs/", mode: 0o755},
		{name: "etc/ssl/certs/ca-certificates.crt", mode: 0o644, data: certificates()},
		{name: "home/", mode: 0o755},
		{name: imageHome[1:] + "/", mode: 0o700, uid: imageUID},
		{name: "tmp/", mode: 0o1777},
		{name: "usr/", mode: 0o755},
		{name: "usr/bin/", mode: 0o755},
		{name: "usr/bin/mcp-login", mode: 0o755, data: program},
	} {
		h := &tar.Header{Name: f.name, Mode: f.mode, Uid: f.uid, Gid: f.uid, ModTime: r.date, Size: int64(len(f.data)), Typeflag: tar.TypeReg}
		if strings.HasSuffix(f.name, "/") {
			h.Typeflag = tar.TypeDir
		}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	err = w.Close()
	return buf.Bytes(), err
}

// certificates returns Mozilla's root certificates as PEM. It omits those with
// constraints, which a PEM file cannot express.
func certificates() []byte {
	var buf bytes.Buffer
	for root := range bundle.Roots() {
		if root.Constraint == nil {
			buf.Write(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: root.Certificate}))
		}
	}
	return buf.Bytes()
}
