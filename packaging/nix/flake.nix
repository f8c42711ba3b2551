{
  description = "@DESCRIPTION@";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs = { self, nixpkgs }:
    let
      version = "@VERSION@";
      releases = {
@RELEASES@
      };
      forEach = nixpkgs.lib.genAttrs (builtins.attrNames releases);
    in
    {
      packages = forEach (system:
        let pkgs = nixpkgs.legacyPackages.${system};
        in {
          default = pkgs.stdenvNoCC.mkDerivation {
            pname = "mcp-login";
            inherit version;
            src = pkgs.fetchurl releases.${system};
            sourceRoot = ".";
            nativeBuildInputs = [ pkgs.installShellFiles ];
            dontConfigure = true;
            dontBuild = true;
            installPhase = ''
              runHook preInstall
              install -Dm755 mcp-login $out/bin/mcp-login
              installManPage man/mcp-login.1
              installShellCompletion --bash completions/mcp-login.bash --fish completions/mcp-login.fish --zsh completions/_mcp-login
              runHook postInstall
            '';
            meta = {
              description = "@DESCRIPTION@";
              homepage = "@HOMEPAGE@";
              license = pkgs.lib.licenses.asl20;
              mainProgram = "mcp-login";
              platforms = builtins.attrNames releases;
              sourceProvenance = [ pkgs.lib.sourceTypes.binaryNativeCode ];
            };
          };
        });
    };
}
