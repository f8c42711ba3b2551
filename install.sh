#!/bin/sh
# Installs mcp-login from a release, after checking its SHA-256 checksum.
#
#   curl -fsSL https://raw.githubusercontent.com/mcp-login/mcp-login/main/install.sh | sh
#   sh install.sh --version 1.2.3 --dir /usr/local/bin
#
# It needs curl or wget, tar, and a SHA-256 tool. It never runs sudo.
set -eu

usage() {
  cat <<'EOF'
usage: install.sh [--version VERSION] [--dir DIR] [--from URL]

  --version VERSION  the release to install (default: the latest)
  --dir DIR          the folder for the program (default: ~/.local/bin)
  --from URL         the URL of the releases, such as a mirror
                     (default: https://github.com/mcp-login/mcp-login/releases)
EOF
}

say() { printf '%s\n' "$*" >&2; }

fail() {
  say "install.sh: $1"
  [ $# -lt 2 ] || say "hint: $2"
  exit 1
}

have() { command -v "$1" >/dev/null 2>&1; }

# platform prints the system and architecture as in the names of the archives.
platform() {
  os=$(uname -s) arch=$(uname -m)
  case $os in
  Linux) os=linux ;;
  Darwin) os=darwin ;;
  FreeBSD) os=freebsd ;;
  MINGW* | MSYS* | CYGWIN*) fail 'this script does not install on Windows' 'scoop install mcp-login' ;;
  *) fail "no release for $os" 'go install -tags urfave_cli_no_docs github.com/mcp-login/mcp-login/cmd/mcp-login@latest' ;;
  esac
  case $arch in
  x86_64 | amd64) arch=amd64 ;;
  aarch64 | arm64) arch=arm64 ;;
  armv7* | armv8l) arch=armv7 ;;
  i386 | i486 | i586 | i686) arch=386 ;;
  esac
  # A shell that Rosetta translates reports x86_64 on an arm64 Mac.
  if [ "$os/$arch" = darwin/amd64 ] && [ "$(sysctl -n sysctl.proc_translated 2>/dev/null)" = 1 ]; then
    arch=arm64
  fi
  printf '%s_%s' "$os" "$arch"
}

# download URL FILE
download() {
  if have curl; then
    case $1 in
    https://*) curl --proto '=https' --tlsv1.2 -fsSL --retry 3 -o "$2" -- "$1" ;;
    *) curl -fsSL -o "$2" -- "$1" ;;
    esac
  elif have wget; then
    case $1 in
    https://*) wget -q --https-only -O "$2" -- "$1" ;;
    *) wget -q -O "$2" -- "$1" ;;
    esac
  else
    fail 'curl or wget is required'
  fi || fail "cannot download $1"
}

# sha256 FILE
sha256() {
  if have sha256sum; then
    sha256sum <"$1" | cut -d ' ' -f 1
  elif have shasum; then
    shasum -a 256 <"$1" | cut -d ' ' -f 1
  elif have openssl; then
    openssl dgst -sha256 -r <"$1" | cut -d ' ' -f 1
  else
    fail 'sha256sum, shasum or openssl is required'
  fi
}

# main is called in the last line, so a truncated download does nothing.
main() {
  version='' dir=${HOME:-}/.local/bin from=https://github.com/mcp-login/mcp-login/releases
  while [ $# -gt 0 ]; do
    case $1 in
    --version=* | --dir=* | --from=*)
      option=${1%%=*} value=${1#*=}
      shift
      ;;
    --version | --dir | --from)
      [ $# -ge 2 ] || fail "$1 needs a value"
      option=$1 value=$2
      shift 2
      ;;
    -h | --help)
      usage
      exit
      ;;
    *)
      usage >&2
      exit 2
      ;;
    esac
    [ -n "$value" ] || fail "$option needs a value"
    case $option in
    --version) version=${value#v} ;;
    --dir) dir=$value ;;
    --from) from=${value%/} ;;
    esac
  done
  [ "$dir" != /.local/bin ] || fail 'HOME is not set' 'install.sh --dir DIR'
  case $dir in -*) dir=./$dir ;; esac
  have tar || fail 'tar is required'

  platform=$(platform)
  url=$from/latest/download
  [ -z "$version" ] || url=$from/download/v$version

  mkdir -p "$dir" || fail "cannot create $dir" 'install.sh --dir DIR'
  # In the same folder, so that the last step is an atomic rename.
  tmp=$(mktemp -d "$dir/.mcp-login-XXXXXX") || fail "cannot write to $dir" 'install.sh --dir DIR'
  trap 'rm -rf "$tmp"' EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM HUP

  download "$url/checksums.txt" "$tmp/checksums.txt"
  # A line is "HASH  NAME". Check the names, because they become paths.
  line=$(grep -E "^[0-9a-f]{64}  mcp-login_[0-9A-Za-z.+-]+_$platform\.tar\.gz\$" "$tmp/checksums.txt") ||
    fail "the release has no archive for $platform" 'go install -tags urfave_cli_no_docs github.com/mcp-login/mcp-login/cmd/mcp-login@latest'
  [ "$(printf '%s\n' "$line" | wc -l)" -eq 1 ] || fail "checksums.txt lists several archives for $platform"
  want=${line%% *} archive=${line##* }

  say "downloading $archive"
  download "$url/$archive" "$tmp/archive.tar.gz"
  got=$(sha256 "$tmp/archive.tar.gz")
  [ "$got" = "$want" ] || fail "$archive has the SHA-256 checksum $got, but the release lists $want"

  tar -xzf "$tmp/archive.tar.gz" -C "$tmp" mcp-login || fail "cannot unpack $archive"
  chmod 755 "$tmp/mcp-login"
  installed=$("$tmp/mcp-login" version) || fail "$archive does not run on this machine"
  mv -f "$tmp/mcp-login" "$dir/mcp-login"
  say "installed $installed in $dir"
  case :$PATH: in
  *":$dir:"*) ;;
  *) say "hint: export PATH=\"$dir:\$PATH\"" ;;
  esac
}

main "$@"
