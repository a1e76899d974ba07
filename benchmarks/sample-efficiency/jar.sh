# Sourced with $here, this folder: builds the benchmarks' jar where a source is newer, and names it in $jar.
root=$(cd -- "$here/../.." && pwd -P)
jar=$root/benchmarks/target/benchmarks.jar
if [ ! -f "$jar" ] || [ -n "$(find "$root/benchmarks/src" "$root"/java/*/src/main "$root/native/cpu" -newer "$jar" -type f -print | head -n 1)" ]; then
  (cd "$root" && mvn -B -q -pl benchmarks -am package -DskipTests -Dspotless.check.skip=true)
  touch "$jar"
fi
