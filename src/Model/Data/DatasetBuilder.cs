using System.Runtime.InteropServices;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Tokenization;

namespace ActorTrainer.Model.Data;

/// <summary>How far a preparation is.</summary>
/// <param name="Stage">"train" or "heldout".</param>
/// <param name="Bytes">Source bytes done in this stage.</param>
/// <param name="TotalBytes">Source bytes of this stage.</param>
/// <param name="Documents">Documents or rows done, both stages.</param>
/// <param name="Tokens">Tokens made, both stages.</param>
public sealed record PrepareProgress(string Stage, long Bytes, long TotalBytes, long Documents, long Tokens);

/// <summary>Prepared data, open for reading.</summary>
/// <param name="Folder">Where it lies.</param>
/// <param name="Reused">True when an earlier preparation was found.</param>
public sealed record PreparedData(TokenDataset Train, TokenDataset HeldOut, string Folder, bool Reused) : IDisposable
{
    /// <summary>The counts and hashes.</summary>
    public DatasetManifest Manifest => Train.Manifest;

    public void Dispose()
    {
        Train.Dispose();
        HeldOut.Dispose();
    }
}

/// <summary>
/// Turns a corpus into blocks of token ids on disk: documents are tokenised in parallel, each is followed by the separator token,
/// and the stream is cut into blocks of <see cref="DataOptions.Sequence"/>, the last incomplete one dropped; with
/// <see cref="DataOptions.ClassifyFirst"/> each block begins with the classification token and has one token of the stream less. Already tokenised rows
/// are concatenated and cut as they are, so rows of exactly that length are the blocks. Memory is bounded whatever the size of the
/// corpus, and the bytes do not depend on the number of workers.
/// </summary>
public static class DatasetBuilder
{
    /// <summary>Prepares the data, or finds it prepared already in <see cref="DataOptions.Cache"/>.</summary>
    /// <param name="tokenizer">
    /// May be null for <see cref="DataSourceKind.Parquet"/>, where <see cref="DataOptions.Vocabulary"/> bounds the ids.
    /// </param>
    /// <exception cref="RefusedException">The corpus is missing, empty, malformed, or too small for a block.</exception>
    /// <exception cref="OperationCanceledException">Cancelled; nothing that looks finished is left.</exception>
    public static PreparedData Prepare(
        DataOptions options, ITokenizer? tokenizer, IProgress<PrepareProgress>? progress = null, CancellationToken cancellation = default) =>
        Task.Run(() => PrepareAsync(options, tokenizer, progress, ShardWriter.ShardBytes, cancellation), CancellationToken.None)
            .GetAwaiter().GetResult();

    /// <param name="shardBytes">Size of a shard; part of the layout on disk, not of the content.</param>
    internal static async Task<PreparedData> PrepareAsync(
        DataOptions options, ITokenizer? tokenizer, IProgress<PrepareProgress>? progress, long shardBytes, CancellationToken cancellation)
    {
        Validate(options, tokenizer);
        PartialFolder.RemoveAbandoned(options.Cache);
        var files = CorpusFiles.Resolve(options);
        var sources = DocumentSource.Sources(options, files, cancellation);
        var description = DocumentSource.Describe(options, sources);
        var vocabulary = options.Source == DataSourceKind.Parquet ? options.Vocabulary : tokenizer!.VocabularySize;
        int? first = options.ClassifyFirst && options.Source != DataSourceKind.Parquet ? tokenizer!.Special.Classify : null;
        var key = DocumentSource.Hash(
            $"format={DatasetManifest.CurrentFormat}\n{description}\ntokenizer={tokenizer?.Hash} vocabulary={vocabulary}"
            + $" separator={tokenizer?.Special.Separator} sequence={options.Sequence}{(first is { } id ? $" first={id}" : "")}")[..32];
        var folder = Path.Combine(options.Cache, key);
        if (TryOpen(folder, options.Cache, key) is { } found)
        {
            return found;
        }

        using var partial = PartialFolder.Create(options.Cache, key);
        using (var train = new ShardWriter(partial.Path, "train", options.Sequence, vocabulary, shardBytes, first))
        using (var heldOut = new ShardWriter(partial.Path, "heldout", options.Sequence, vocabulary, shardBytes, first))
        {
            var pass = new PreparePass(options, tokenizer, vocabulary, train, heldOut, progress);
            await pass.Run(files.Train, sources.Where(source => source.Split == "train"), isHeldOut: false, cancellation).ConfigureAwait(false);
            if (files.HeldOut.Count > 0)
            {
                await pass.Run(files.HeldOut, sources.Where(source => source.Split == "heldout"), isHeldOut: true, cancellation)
                    .ConfigureAwait(false);
            }

            SourceHashes.CheckUnchanged(sources);
            Check(options, pass, train, heldOut);
            new DatasetManifest
            {
                Format = DatasetManifest.CurrentFormat,
                Key = key,
                Source = description,
                Sources = sources,
                TokenizerHash = tokenizer?.Hash ?? "",
                Vocabulary = vocabulary,
                BlockLength = options.Sequence,
                TokenBytes = ShardWriter.TokenBytes(vocabulary),
                Train = new(pass.TrainDocuments, train.Tokens, train.Blocks, train.Finish()),
                HeldOut = new(pass.HeldOutDocuments, heldOut.Tokens, heldOut.Blocks, heldOut.Finish()),
                Unigrams = WriteUnigrams(partial.Path, train.Unigrams),
            }.Save(partial.Path);
        }

        cancellation.ThrowIfCancellationRequested();
        partial.Publish(folder);
        return Open(folder, isReused: false);
    }

    private static void Validate(DataOptions options, ITokenizer? tokenizer)
    {
        if (options.Sequence < 1)
        {
            throw new RefusedException($"arch.sequence={options.Sequence}: expected at least 1 token per block.");
        }

        if (!(options.HeldOutFraction is >= 0 and < 1))
        {
            throw new RefusedException($"data.held_out_fraction={options.HeldOutFraction}: expected a share in [0, 1).");
        }

        if (options.Cache.Length == 0)
        {
            throw new RefusedException("data.cache is empty: expected a folder for prepared data.");
        }

        if (options.ClassifyFirst && options.Sequence < 2)
        {
            throw new RefusedException("data.classify_first=true: a block needs room for more than that token; raise arch.sequence.");
        }

        if (options.Source == DataSourceKind.Parquet ? options.Vocabulary < 1 : tokenizer is null)
        {
            throw new ArgumentException("Text needs a tokenizer, tokenised rows need a vocabulary.", nameof(tokenizer));
        }
    }

    private static void Check(DataOptions options, PreparePass pass, ShardWriter train, ShardWriter heldOut)
    {
        if (pass.TrainDocuments == 0)
        {
            throw DocumentSource.NoDocuments(options);
        }

        var what = options.Source == DataSourceKind.Sample ? "the sample text" : options.Path;
        if (train.Blocks == 0)
        {
            throw new RefusedException(
                $"{what}: {train.Tokens} tokens to train on, fewer than one block of {options.Sequence}; give more text or a smaller arch.sequence.");
        }

        if (heldOut.Blocks > 0)
        {
            return;
        }

        if (options.ValidPath.Length > 0)
        {
            throw new RefusedException(
                $"data.valid_path={options.ValidPath}: {heldOut.Tokens} tokens, fewer than one block of {options.Sequence}; hold out more text.");
        }

        if (options.HeldOutFraction > 0)
        {
            throw new RefusedException(
                $"{what}: data.held_out_fraction={options.HeldOutFraction} holds out {pass.HeldOutDocuments} of "
                + $"{pass.HeldOutDocuments + pass.TrainDocuments} documents ({heldOut.Tokens} tokens), fewer than one block of {options.Sequence}; "
                + "raise it, name held-out text in data.valid_path, or use data.layout=lines if every line is a document.");
        }
    }

    private static PreparedData? TryOpen(string folder, string cache, string key)
    {
        if (!Directory.Exists(folder))
        {
            return null;
        }

        try
        {
            return Open(folder, isReused: true);
        }
        catch (RefusedException)
        {
            // Somebody damaged it; all of it can be made again.
            PartialFolder.Discard(folder, cache, key);
            return null;
        }
    }

    private static PreparedData Open(string folder, bool isReused)
    {
        var train = TokenDataset.Open(folder, DataSplit.Train);
        try
        {
            return new(train, TokenDataset.Open(folder, DataSplit.HeldOut), folder, isReused);
        }
        catch
        {
            train.Dispose();
            throw;
        }
    }

    private static ShardFile WriteUnigrams(string folder, long[] counts)
    {
        const string Name = "train-unigrams.bin";
        var bytes = MemoryMarshal.AsBytes(counts.AsSpan()).ToArray();
        AtomicFile.Write(Path.Combine(folder, Name), stream => stream.Write(bytes));
        return new(Name, bytes.Length, Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(bytes)));
    }
}
