# What `sam build` calls for each function (Metadata: BuildMethod: makefile in template.yaml).
# SAM does not tell which architecture the function has, so the folder it gets runs on both: docs/decisions says how.
.PHONY: build-ConsumerFunction build-AggregatorFunction build-AlertsFunction build-ApiFunction build-ArchiveFunction build-FlightsFunction

build-ConsumerFunction:
	./package.sh --architecture both --into "$(ARTIFACTS_DIR)" consumer

build-AggregatorFunction:
	./package.sh --architecture both --into "$(ARTIFACTS_DIR)" aggregator

build-AlertsFunction:
	./package.sh --architecture both --into "$(ARTIFACTS_DIR)" alerts

build-ApiFunction:
	./package.sh --architecture both --into "$(ARTIFACTS_DIR)" api

build-ArchiveFunction:
	./package.sh --architecture both --into "$(ARTIFACTS_DIR)" archive

build-FlightsFunction:
	./package.sh --architecture both --into "$(ARTIFACTS_DIR)" flights
