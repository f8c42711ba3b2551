//go:build !linux

package file

import "time"

func kernelGet(string) ([]byte, error) { return nil, ErrUnsupported }

func kernelSet(string, []byte, time.Duration) error { return ErrUnsupported }

func kernelDrop(string) error { return ErrUnsupported }
