using System.Diagnostics;
using System.Globalization;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Export;
using ActorTrainer.Model.Glue;
using TorchSharp;

namespace ActorTrainer.Bench;

/// <summary><c>export</c>: memory and speed of an export of many gigabytes at the published width.</summary>
public static class ExportBench
{
    private static readonly BertConfig Arch = new() { Layers = 2 };

    /// <summary>Writes an export of random rows into a folder that is removed afterwards.</summary>
    public static void Run(Arguments arguments)
    {
        var gigabytes = arguments.Number("gigabytes", 10);
        var folder = Path.Combine(Directory.CreateDirectory(arguments.Text("out", ".")).FullName, $"export-{Guid.NewGuid():N}");
        try
        {
            torch.set_num_threads(1); // a block is small: a second thread gains nothing, and on a busy machine waiting for it costs much
            var before = ProcessMemory.Resident;
            using var embedding = new EmbeddingUnit(Arch, 1);
            var rows = new Rows((int)(gigabytes * 1_000_000_000L / (4L * Arch.Sequence * Arch.Hidden)));
            var plan = new ExportPlan { Model = "bench", Arch = Arch, Embedding = embedding, TokenizerHash = "", Splits = [rows] };
            var (writing, bytes) = Time(() => DataExport.Write(folder, plan)[0].Manifest.Shards.Sum(shard => shard.Bytes));
            var written = ProcessMemory.Peak;
            var (verifying, _) = Time(() => DataExport.Write(folder, plan)[0].ShardsKept);
            using var reader = ExportReader.Open(DataExport.FolderOf(folder, rows.Task.Name, rows.Name));
            var (embedded, mask) = (new float[Arch.Sequence * Arch.Hidden], new byte[Arch.Sequence]);
            var (reading, _) = Time(() => Enumerable.Range(0, reader.Count).Sum(row => reader.Read(row, embedded, mask).TokenCount));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"""
                {bytes / 1e9:0.00} GB, {rows.Count} rows of {Arch.Sequence} tokens, width {Arch.Hidden}

                | | MB/s |
                |---|---|
                | writing | {bytes / 1e6 / writing.TotalSeconds:0} |
                | verifying | {bytes / 1e6 / verifying.TotalSeconds:0} |
                | reading, checksums included | {bytes / 1e6 / reading.TotalSeconds:0} |

                resident MiB: {before:0} at the start, at most {written:0} after writing and {ProcessMemory.Peak:0} after all
                """));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    private static (TimeSpan Time, T Result) Time<T>(Func<T> action)
    {
        var watch = Stopwatch.StartNew();
        var result = action();
        return (watch.Elapsed, result);
    }

    /// <summary>Full rows of ids computed from their numbers.</summary>
    private sealed class Rows(int count) : IEncodedRows
    {
        private readonly int[] _ids = new int[Arch.Sequence];

        public int Count => count;

        public int Sequence => Arch.Sequence;

        public int PadId => 0;

        public string Key => "bench";

        public GlueTaskInfo Task => GlueTasks.Of(GlueTask.Qnli);

        public string Name => GlueTaskInfo.Train;

        public ReadOnlySpan<int> Ids(int row)
        {
            for (var i = 0; i < _ids.Length; i++)
            {
                _ids[i] = 1 + (int)((row * 7919L + i * 104_729L) % (Arch.Vocabulary - 1));
            }

            return _ids;
        }

        public int Length(int row) => Arch.Sequence;

        public float Label(int row) => row % 2;

        public string Id(int row) => row.ToString(CultureInfo.InvariantCulture);
    }
}
