using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Data;

/// <summary>The documents of a corpus, streamed: no more than one document, line or row group is in memory.</summary>
public static class DocumentSource
{
    /// <summary>
    /// The texts that <see cref="DatasetBuilder"/> will train on (held-out ones are left out), in its order: for training a tokenizer.
    /// </summary>
    /// <exception cref="RefusedException">The corpus is missing, empty, malformed, or already tokenised.</exception>
    public static IEnumerable<string> TrainTexts(DataOptions options)
    {
        if (options.Source == DataSourceKind.Parquet)
        {
            throw new RefusedException(
                "data.source=parquet holds token ids, no text, so no tokenizer can be trained on it; name the one it was made with in data.tokenizer.");
        }

        var files = CorpusFiles.Resolve(options);
        return Texts();

        IEnumerable<string> Texts()
        {
            var rule = Rule(options);
            var any = false;
            foreach (var document in Documents(options, files.Train))
            {
                if (!rule.Holds(document.Text))
                {
                    any = true;
                    yield return document.Text;
                }
            }

            if (!any)
            {
                throw NoDocuments(options);
            }
        }
    }

    /// <summary>
    /// SHA-256 (lower-case hex) over all that the documents and their split depend on: kind, names and contents of the files,
    /// layout, sample seed and size, held-out settings. Equal fingerprints mean equal documents.
    /// </summary>
    /// <exception cref="RefusedException">A file is missing or cannot be read.</exception>
    public static string Fingerprint(DataOptions options, CancellationToken cancellation = default) =>
        Hash(Describe(options, Sources(options, CorpusFiles.Resolve(options), cancellation)));

    internal static List<SourceFile> Sources(DataOptions options, CorpusFiles files, CancellationToken cancellation) =>
    [
        .. SourceHashes.Of(files.Train, "train", options.Cache, cancellation),
        .. SourceHashes.Of(files.HeldOut, "heldout", options.Cache, cancellation),
    ];

    /// <summary>A line of each thing that the documents depend on.</summary>
    internal static string Describe(DataOptions options, IReadOnlyList<SourceFile> sources)
    {
        var lines = new List<string> { $"source={options.Source}" };
        switch (options.Source)
        {
            case DataSourceKind.Sample:
                lines.Add(string.Create(
                    CultureInfo.InvariantCulture,
                    $"generator={SampleText.Version} seed={options.SampleSeed} megabytes={options.SampleMegabytes:R}"));
                break;
            case DataSourceKind.Text:
                lines.Add($"layout={options.Layout}");
                break;
            case DataSourceKind.Jsonl:
                lines.Add($"field={options.JsonField}");
                break;
        }

        lines.Add(options.ValidPath.Length > 0
            ? "heldout=files"
            : string.Create(CultureInfo.InvariantCulture, $"heldout={options.HeldOutFraction:R}"));
        lines.AddRange(sources.Select(source => $"{source.Split} {source.Sha256} {source.Size} {source.Name}"));
        return string.Join('\n', lines);
    }

    internal static string Hash(string text) => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)));

    internal static HeldOutRule Rule(DataOptions options) => new(options.ValidPath.Length > 0 ? 0 : options.HeldOutFraction);

    /// <summary>Documents of the files in order, or the sample text.</summary>
    internal static IEnumerable<Document> Documents(DataOptions options, IReadOnlyList<string> files) => options.Source switch
    {
        DataSourceKind.Sample => SampleText.Documents(options.SampleSeed, (long)(options.SampleMegabytes * 1e6)),
        DataSourceKind.Jsonl => files.SelectMany(file => JsonlDocuments.Read(file, options.JsonField)),
        _ => files.SelectMany(file => TextDocuments.Read(file, options.Layout)),
    };

    internal static IEnumerable<TokenRow> Rows(IReadOnlyList<string> files, int vocabulary) =>
        files.SelectMany(file => ParquetRows.Read(file, vocabulary));

    internal static RefusedException NoDocuments(DataOptions options) => new(
        options.Source == DataSourceKind.Sample
            ? $"data.sample_megabytes={options.SampleMegabytes} makes no document to train on; give more."
            : $"data.path={options.Path}: no text to train on in there (all files empty or blank, or everything held out).");
}
