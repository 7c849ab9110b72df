# Every target is one script; `make deps` runs first and sets up what a new machine lacks.
PREFIX ?= /usr/local
DESTDIR ?=
BUILD ?= .build
export PREFIX DESTDIR BUILD

.PHONY: all deps demo test bench check-deep generate format install wheel candidates clean

all: deps
	scripts/build

deps:
	scripts/deps

demo: deps
	scripts/demo

test: deps
	scripts/test

bench: deps
	scripts/bench

check-deep: deps
	scripts/check-deep

generate: deps
	scripts/generate

format: deps
	scripts/format

install: deps
	scripts/build
	scripts/install

wheel: deps
	scripts/build
	scripts/wheel

candidates: deps
	scripts/build
	scripts/candidates

clean:
	rm -rf $(BUILD) build
