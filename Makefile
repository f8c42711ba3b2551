# Everything a developer needs. Wanted on the machine: Go, Node with npm, a C
# compiler (for -race). The rest is installed or built by e2e/provide, once,
# into $XDG_CACHE_HOME/mcp-login-dev.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# Drops the documentation generator of urfave/cli, half of the start-up time.
TAGS    := urfave_cli_no_docs
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)
BUILD   := CGO_ENABLED=0 go build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS)'

# The tests that read the sources instead of running them.
RULES := Layers|PackagesAreMapped|DependenciesHaveReasons|TestDependencies|Shape|CommandsAreThin|ChecksExistOnce|ExportedNamesHaveCallers|ExportedNamesAreDocumented|Prose|Comments|TextsOfTests|Names|OneGuardedTransport|NothingIsCompiledAtStart|FrameworkDoesNotRun|ProgramsAreStartedInFewPlaces

# Platforms that must always compile and pass vet, besides this one: other systems, and one
# where int has 32 bits.
PLATFORMS := linux/arm darwin/arm64 windows/amd64

FUZZTIME ?= 5s

.PHONY: build
build: ## build bin/mcp-login
	$(BUILD) -o bin/mcp-login ./cmd/mcp-login

.PHONY: demo
demo: build ## show a whole login against a server on this machine; AUTO=5s approves it
	$(BUILD) -o bin/demo ./examples/demo
	@bin/demo -run bin/mcp-login $(if $(AUTO),-auto-approve $(AUTO))

.PHONY: test
test: unit e2e ## all tests, against real servers too

.PHONY: unit
unit: ## tests that need nothing but Go
	go test -tags $(TAGS) ./...

.PHONY: zoo
zoo: ## the main path at a server for each pair of known quirks
	MCP_LOGIN_ZOO=1 go test -tags $(TAGS) -count=1 -run '^TestQuirk' ./cmd/mcp-login

.PHONY: e2e
e2e: ## tests against real servers, which are installed when missing
	e2e/provide debian
	cd e2e && go test -tags $(TAGS),e2e -count=1 -p 1 -timeout 30m ./...

.PHONY: dist
dist: ## the whole release in dist/, as a snapshot of this commit
	time packaging/dist

.PHONY: dist-test
dist-test: dist ## install what dist made, in every way, and use it
	e2e/provide packages
	cd e2e && time go test -tags $(TAGS),e2e,dist -count=1 -timeout 20m ./dist

.PHONY: clients
clients: ## real MCP clients read what client-config prints, and sign in; they take 1.9 GB
	cd e2e && go test -tags $(TAGS),e2e,clients -timeout 20m -run 'Client|Codex' .

.PHONY: suspend
suspend: ## the agent in an emulated machine that is suspended; takes a minute
	e2e/provide emulator
	cd e2e && go test -tags $(TAGS),e2e,suspend -count=1 -timeout 20m -run '^TestSuspend$$' -v .

.PHONY: windows
windows: ## the program for Windows under Wine (part of e2e)
	e2e/provide debian
	cd e2e && time go test -tags $(TAGS),e2e -count=1 -timeout 20m -run '^TestWindows' -v .

.PHONY: conformance
conformance: ## the official suite for MCP clients and servers, as a table (part of e2e)
	e2e/provide debian
	cd e2e && go test -tags $(TAGS),e2e -count=1 -timeout 20m -run '^TestConformance' -v . | sed -n 's/^ *conformance\(_server\)*_test.go:[0-9]*: //p; /^ *--- /p; /^\(ok\|FAIL\)/p'

.PHONY: race
race: ## unit tests under the race detector
	CGO_ENABLED=1 go test -race -tags $(TAGS) ./...

.PHONY: bench
bench: ## what the program costs, as ratios
	cd e2e && go test -tags $(TAGS),e2e -run '^$$' -bench . .
	go test -tags $(TAGS) -run '^$$' -bench . -benchmem . ./secrets/file

.PHONY: fuzz
fuzz: ## every fuzz target for FUZZTIME
	@for pkg in $$(go list -tags $(TAGS) ./...); do \
	  for target in $$(go test -tags $(TAGS) -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "fuzz $$pkg $$target"; \
	    go test -tags $(TAGS) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; \
	done

.PHONY: check
check: fmt vet staticcheck deadcode unparam shape tidy cross ## everything that can be said without running a test

.PHONY: fmt
fmt:
	@files=$$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l); \
	if [ -n "$$files" ]; then echo "gofmt -w is wanted on:"; echo "$$files"; exit 1; fi

.PHONY: vet
vet:
	go vet -tags $(TAGS) ./...
	for p in $(PLATFORMS); do GOOS=$${p%/*} GOARCH=$${p#*/} go vet -tags $(TAGS) ./...; done
	cd e2e && go vet -tags $(TAGS),e2e,suspend,clients,dist ./...
	cd packaging && go vet ./...

.PHONY: staticcheck
staticcheck:
	tool=$$(e2e/provide staticcheck); \
	"$$tool" -tags $(TAGS) ./...; \
	cd e2e && "$$tool" -tags $(TAGS),e2e,suspend,clients,dist ./...; \
	cd ../packaging && "$$tool" ./...

.PHONY: deadcode
deadcode:
	@tool=$$(e2e/provide deadcode); \
	found=$$("$$tool" -tags $(TAGS) -test ./...); \
	if [ -n "$$found" ]; then echo "$$found"; exit 1; fi

.PHONY: unparam
unparam:
	tool=$$(e2e/provide unparam); GOFLAGS=-tags=$(TAGS) "$$tool" -tests=false ./...

.PHONY: shape
shape: ## layers, sizes, names, comments, package state, dependencies
	go test -tags $(TAGS) -run '^Test($(RULES))$$' .

.PHONY: tidy
tidy:
	go mod tidy -diff
	cd e2e && go mod tidy -diff
	cd packaging && go mod tidy -diff

.PHONY: cross
cross:
	@for p in $(PLATFORMS); do \
	  echo "build for $$p"; \
	  CGO_ENABLED=0 GOOS=$${p%/*} GOARCH=$${p#*/} go build -tags $(TAGS) -o /dev/null ./cmd/mcp-login; \
	done

.PHONY: clean
clean: ## remove what the build made here; the cache of tools stays
	rm -rf bin dist

.PHONY: help
help:
	@grep -hE '^[a-z0-9]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 10
