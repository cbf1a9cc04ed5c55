using System.Runtime.InteropServices;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Model.Data;

/// <summary>Reads one list of files, tokenises and sorts the documents into the two splits, in the order of the source.</summary>
internal sealed class PreparePass(
    DataOptions options, ITokenizer? tokenizer, int vocabulary, ShardWriter train, ShardWriter heldOut, IProgress<PrepareProgress>? progress)
{
    /// <summary>Bytes of source text that a worker takes at a time.</summary>
    private const long BatchBytes = 128 << 10;

    private readonly HeldOutRule _rule = DocumentSource.Rule(options);
    private readonly int _workers = options.Workers > 0 ? options.Workers : Environment.ProcessorCount;

    public long TrainDocuments { get; private set; }

    public long HeldOutDocuments { get; private set; }

    /// <summary>Processes the files; every document is held out when <paramref name="isHeldOut"/>, else the rule decides.</summary>
    public Task Run(IReadOnlyList<string> files, IEnumerable<SourceFile> sources, bool isHeldOut, CancellationToken cancellation)
    {
        var total = options.Source == DataSourceKind.Sample ? (long)(options.SampleMegabytes * 1e6) : sources.Sum(source => source.Size);
        return options.Source == DataSourceKind.Parquet
            ? Run(DocumentSource.Rows(files, vocabulary), row => row.Bytes, Add, total, isHeldOut, cancellation)
            : Run(DocumentSource.Documents(options, files), document => document.Bytes, Add, total, isHeldOut, cancellation);

        void Add(Output output, object item)
        {
            if (item is TokenRow row)
            {
                output.Of(isHeldOut || _rule.Holds(row.Ids)).AddRange(row.Ids);
            }
            else
            {
                var text = ((Document)item).Text;
                var ids = output.Of(isHeldOut || _rule.Holds(text));
                tokenizer!.Encode(text, ids);
                ids.Add(tokenizer.Special.Separator);
            }
        }
    }

    private async Task Run<T>(
        IEnumerable<T> items, Func<T, long> bytes, Action<Output, object> add, long total, bool isHeldOut, CancellationToken cancellation)
        where T : notnull
    {
        var done = 0L;
        var outputs = OrderedParallel.Select(Batches(items, bytes), _workers, batch => Map(batch, add), cancellation);
        await foreach (var output in outputs.ConfigureAwait(false))
        {
            train.Append(CollectionsMarshal.AsSpan(output.Train));
            heldOut.Append(CollectionsMarshal.AsSpan(output.HeldOut));
            TrainDocuments += output.TrainDocuments;
            HeldOutDocuments += output.HeldOutDocuments;
            done += output.Bytes;
            progress?.Report(new(
                isHeldOut ? "heldout" : "train", done, Math.Max(total, done), TrainDocuments + HeldOutDocuments, train.Tokens + heldOut.Tokens));
        }
    }

    private static IEnumerable<Batch<T>> Batches<T>(IEnumerable<T> items, Func<T, long> bytes)
    {
        var batch = new Batch<T>();
        foreach (var item in items)
        {
            batch.Items.Add(item);
            batch.Bytes += bytes(item);
            if (batch.Bytes >= BatchBytes)
            {
                yield return batch;
                batch = new();
            }
        }

        if (batch.Items.Count > 0)
        {
            yield return batch;
        }
    }

    private static Output Map<T>(Batch<T> batch, Action<Output, object> add)
        where T : notnull
    {
        var output = new Output { Bytes = batch.Bytes };
        foreach (var item in batch.Items)
        {
            add(output, item);
        }

        return output;
    }

    private sealed class Batch<T>
    {
        public List<T> Items { get; } = [];

        public long Bytes { get; set; }
    }

    private sealed class Output
    {
        public List<int> Train { get; } = [];

        public List<int> HeldOut { get; } = [];

        public long TrainDocuments { get; private set; }

        public long HeldOutDocuments { get; private set; }

        public required long Bytes { get; init; }

        /// <summary>Counts a document and returns where its ids go.</summary>
        public List<int> Of(bool isHeldOut)
        {
            if (isHeldOut)
            {
                HeldOutDocuments++;
                return HeldOut;
            }

            TrainDocuments++;
            return Train;
        }
    }
}
