# Java of a packed engine ($root), with NVIDIA's libraries only for it: python3 uses those of PyTorch.
packages=$(python3 -c 'import sysconfig; print(sysconfig.get_paths()["purelib"])' 2>/dev/null)
path=$root/lib
for folder in "$packages"/nvidia/*/lib /usr/local/cuda/lib64 /usr/local/cuda/extras/CUPTI/lib64; do
  [[ -d $folder ]] && path=$path:$folder
done
java=(env "LD_LIBRARY_PATH=$path:${LD_LIBRARY_PATH:-}" "$root/jre/bin/java" "-Djava.library.path=$root/lib"
  -Dorg.bytedeco.javacpp.pathsFirst=true "-Dhir.root=$root")
