# Duet: a dual-stack cluster on one machine.
#   make run    bring a cluster up, deploy the example, prove that every Service answers
#   make test   every test, those with root and namespaces included
#   make down   remove whatever `make run` made
#   make bench  measure (BENCH=cluster for one suite)

SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := build

DUET := .build/release/duet
IMAGES := .build/images
FAMILIES ?= ipv4,ipv6
NODES ?= 2
BENCH ?= all
# Tests that wait for the kernel and for other programs block threads, which the others would miss: they run by themselves.
BLOCKING := ServiceProxyTests\.|PodRoutingTests\.

.PHONY: build images run down test unit-test system-test lint bench packages test-packages bench-packages clean

packages:
	@scripts/install-packages run

test-packages:
	@scripts/install-packages test

bench-packages:
	@scripts/install-packages bench

build: packages
	@echo "==> Building Duet (release; the first build takes some minutes)"
	@swift build -c release --product duet
	@scripts/build-plugins
	@examples/images/build $(IMAGES)

run: build
	@$(DUET) up --nodes $(NODES) --families $(FAMILIES) --image-dir $(IMAGES)
	@scripts/run-example $(DUET)

down: packages
	@if [ -x $(DUET) ]; then $(DUET) down; else echo "nothing was built, so nothing stands"; fi

lint:
	@swift format lint --strict --parallel --recursive Package.swift Core/Package.swift \
	  Core/Sources Core/Tests Sources Tests Fuzz
	@scripts/build-bpf --check

unit-test: test-packages
	@echo "==> Core tests"
	@swift test --package-path Core
	@echo "==> Tests of the services (release as well, so that the dependencies are built once)"
	@swift build -c release --product duetPackageTests
	@swift test -c release --disable-testable-imports --skip-build --skip '$(BLOCKING)'
	@swift test -c release --disable-testable-imports --skip-build --filter '$(BLOCKING)'

system-test: build test-packages
	@Tests/SystemTests/run $(DUET) $(IMAGES)

test: lint unit-test system-test

bench: build bench-packages
	@Benchmarks/run $(BENCH)

clean:
	@rm -rf .build Core/.build .tools
