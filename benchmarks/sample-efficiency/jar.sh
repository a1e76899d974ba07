# Sourced with $here, this folder: builds the benchmarks' jar if a source is newer, and sets $jar to its path.
root=$(cd -- "$here/../.." && pwd -P)
jar=$root/benchmarks/target/benchmarks.jar
if [ ! -f "$jar" ] || [ -n "$(find "$root/benchmarks/src" "$root"/java/*/src/main "$root/native/cpu" -newer "$jar" -type f -print | head -n 1)" ]; then
  (cd "$root" && mvn -B -q -pl benchmarks -am package -DskipTests -Dspotless.check.skip=true)
  touch "$jar"
fi
