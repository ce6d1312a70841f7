"""Packaging: what `package.sh` and `sam build` run. Any Python from 3.9 on."""
