# The verbs of this repository. `make demo` and `make test` are all a newcomer needs.

PYTHON ?= python3
BIN := .venv/bin
COMPILE := CUSTOM_COMPILE_COMMAND="make lock" $(BIN)/pip-compile -q --generate-hashes --allow-unsafe --strip-extras \
           --no-annotate --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file

.PHONY: setup demo serve test check fmt snippet bench compare crash tour wheel docs lock clean

demo: .venv/.demo                ## start a collector and the demo shop beside it; prints what to open
	$(BIN)/farside demo --with-collector $(ARGS)

serve: .venv/.demo               ## run the collector alone
	$(BIN)/farside serve $(ARGS)

test: .venv/.dev browser         ## run every test, three files at a time
	$(BIN)/pytest -n 3 --dist loadfile $(ARGS)

check: .venv/.dev                ## lint, types, and the order of the rooms
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	cd js-snippet && PATH="$(CURDIR)/$(BIN):$$PATH" node node_modules/typescript/bin/tsc --noEmit

fmt: .venv/.dev                  ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

setup: .venv/.dev browser        ## everything a developer needs, in .venv

snippet: .venv/.demo             ## build the snippet; print its sizes and what each feature costs
	$(BIN)/python hatch_build.py --cost

bench: .venv/.dev                ## measure the door, the store away for half a minute, every query and every page over 1 M and 10 M events, traces, backtest, memory, pages that end 60 times in each way; prints JSON
	$(BIN)/python -m bench.door $(ARGS)
	$(BIN)/python -m bench.outage --seconds 30
	$(BIN)/python -m bench.query
	$(BIN)/python -m bench.pages
	$(BIN)/python -m bench.trace
	$(BIN)/python -m bench.rest
	$(BIN)/python -m bench.alerts
	$(BIN)/python -m bench.backtest
	$(BIN)/python -m bench.losses

compare: .venv/.dev browser      ## measure the snippet beside its peers, from npm; writes docs/snippet-compared.md
	$(BIN)/python -m bench.snippet $(ARGS)

crash: .venv/.dev                ## hurt a collector a thousand times and count what is left; takes long
	$(BIN)/python -m bench.crash --faults 1000 $(ARGS)

tour: .venv/.dev browser          ## take the pictures of docs/tour.md anew, from the demo; some minutes
	$(BIN)/python -m docs.make_tour $(ARGS)

wheel: .venv/.demo               ## build the wheel into dist/
	$(BIN)/pip wheel -q --no-deps --no-build-isolation -w dist .
	@ls dist/*.whl

docs: .venv/.dev                 ## build the documentation site into site/; fails on a link that leads nowhere
	$(BIN)/zensical build --strict --config-file mkdocs.yml

lock: .venv/.dev                 ## write the lock files anew
	$(BIN)/python requirements/wanted.py serve | $(COMPILE) requirements/serve.txt -
	$(BIN)/python requirements/wanted.py build | $(COMPILE) requirements/build.txt -
	$(BIN)/python requirements/wanted.py serve build demo | $(COMPILE) requirements/demo.txt -
	$(BIN)/python requirements/wanted.py serve build demo dev | $(COMPILE) requirements/dev.txt -

.PHONY: browser
browser:
	@tests/install_browser.sh $(BIN)/python

.venv/.pip:
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q --upgrade pip
	@touch $@

# The build hook of the wheel makes the snippet; build tools come from the lock too, hence no build isolation.
.venv/.demo: .venv/.pip requirements/demo.txt pyproject.toml hatch_build.py js-snippet/package-lock.json
	@test -e .venv/.dev || $(BIN)/pip install -q --require-hashes -r requirements/demo.txt
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@

.venv/.dev: .venv/.pip requirements/dev.txt pyproject.toml hatch_build.py js-snippet/package-lock.json
	$(BIN)/pip install -q --require-hashes -r requirements/dev.txt
	$(BIN)/pip install -q --no-deps --no-build-isolation -e .
	@touch $@ .venv/.demo

clean:                           ## remove everything that was built or installed
	rm -rf .venv dist build collector/snippet dashboards/static/built js-snippet/node_modules
