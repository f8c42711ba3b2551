# Builds and tests. You need Go, Node with npm, and a C compiler (for -race).
# e2e/provide installs or builds the other tools, once, into
# $XDG_CACHE_HOME/mcp-login-dev.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := build

# Omits the documentation generator of urfave/cli, which takes half of the start time.
TAGS    := urfave_cli_no_docs
VERSION ?= $(shell git describe --tags --always --dirty 2>/dev/null || echo devel)
LDFLAGS := -s -w -X main.version=$(VERSION)
BUILD   := CGO_ENABLED=0 go build -trimpath -tags $(TAGS) -ldflags '$(LDFLAGS)'

# The tests that check the sources instead of running them.
RULES := Layers|PackageComments|PackagesAreMapped|DiagramOfPackages|DependenciesHaveReasons|TestDependencies|Shape|CommandsAreThin|ChecksExistOnce|ExportedNamesHaveCallers|ExportedNamesAreDocumented|Prose|Comments|TextsOfTests|Names|CommentsOfOtherSources|NamesOfEndToEndTests|OneGuardedTransport|NothingIsCompiledAtStart|FrameworkDoesNotRun|ProgramsAreStartedInFewPlaces

# Other platforms that must compile and pass vet: other systems, and one with a 32-bit int.
PLATFORMS := linux/arm darwin/arm64 windows/amd64

FUZZTIME ?= 5s

.PHONY: build
build: ## build bin/mcp-login
	$(BUILD) -o bin/mcp-login ./cmd/mcp-login

.PHONY: demo
demo: build ## show a complete sign-in with a server on this machine; AUTO=5s approves it
	$(BUILD) -o bin/demo ./examples/demo
	@bin/demo -run bin/mcp-login $(if $(AUTO),-auto-approve $(AUTO))

.PHONY: test
test: unit e2e ## run all tests

.PHONY: unit
unit: ## run the tests that need only Go
	go test -tags $(TAGS) ./...

.PHONY: quirks zoo
quirks: ## test a sign-in at one server for each pair of known quirks
	MCP_LOGIN_ALL_QUIRK_PAIRS=1 go test -tags $(TAGS) -count=1 -run '^TestQuirk' ./cmd/mcp-login
zoo: quirks # the former name

.PHONY: e2e
e2e: ## run the tests with real servers, and install what they need
	e2e/provide debian
	cd e2e && go test -tags $(TAGS),e2e -count=1 -p 1 -timeout 30m ./...

.PHONY: dist
dist: ## build the release in dist/, as a snapshot of this commit
	time packaging/dist

.PHONY: dist-test
dist-test: dist ## install the release in every way, and use it
	e2e/provide packages
	cd e2e && time go test -tags $(TAGS),e2e,dist -count=1 -timeout 20m ./dist

.PHONY: clients
clients: ## test the output of client-config, and sign-ins, with real MCP clients (1.9 GB)
	cd e2e && go test -tags $(TAGS),e2e,clients -timeout 20m -run 'Client|Codex' .

.PHONY: suspend
suspend: ## test the agent in an emulated machine that is suspended (a minute)
	e2e/provide emulator
	cd e2e && go test -tags $(TAGS),e2e,suspend -count=1 -timeout 20m -run '^TestSuspend$$' -v .

.PHONY: windows
windows: ## test the program for Windows under Wine (part of e2e)
	e2e/provide debian
	cd e2e && time go test -tags $(TAGS),e2e -count=1 -timeout 20m -run '^TestWindows' -v .

.PHONY: conformance
conformance: ## run the official suite for MCP clients and servers (part of e2e)
	e2e/provide debian
	cd e2e && go test -tags $(TAGS),e2e -count=1 -timeout 20m -run '^TestConformance' -v . | sed -n 's/^ *conformance\(_server\)*_test.go:[0-9]*: //p; /^ *--- /p; /^\(ok\|FAIL\)/p'

.PHONY: race
race: ## run the unit tests with the race detector
	CGO_ENABLED=1 go test -race -tags $(TAGS) ./...

.PHONY: bench
bench: ## run the benchmarks, which report ratios
	cd e2e && go test -tags $(TAGS),e2e -run '^$$' -bench . .
	go test -tags $(TAGS) -run '^$$' -bench . -benchmem . ./secrets/file

.PHONY: fuzz
fuzz: ## run every fuzz target for FUZZTIME
	@for pkg in $$(go list -tags $(TAGS) ./...); do \
	  for target in $$(go test -tags $(TAGS) -list '^Fuzz' $$pkg | grep '^Fuzz' || true); do \
	    echo "fuzz $$pkg $$target"; \
	    go test -tags $(TAGS) -run '^$$' -fuzz "^$$target\$$" -fuzztime $(FUZZTIME) $$pkg; \
	  done; \
	done

.PHONY: check
check: fmt vet staticcheck deadcode unparam shape tidy cross ## run all static checks

.PHONY: fmt
fmt:
	@files=$$(git ls-files -co --exclude-standard '*.go' | xargs -r gofmt -l); \
	if [ -n "$$files" ]; then echo "run gofmt -w on:"; echo "$$files"; exit 1; fi

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
shape: ## check layers, sizes, names, comments, package state, dependencies
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
clean: ## remove bin and dist, but not the cache of tools
	rm -rf bin dist

.PHONY: help
help:
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 13
