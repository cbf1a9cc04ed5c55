using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Model.Export;

/// <summary>What the folder of an exported split holds; <c>manifest.json</c>, written last, so a folder without it is unfinished.</summary>
public sealed record ExportManifest
{
    /// <summary>Name of the file.</summary>
    public const string FileName = "manifest.json";

    /// <summary>Name of the same while shards are still missing.</summary>
    public const string ProgressFileName = "progress.json";

    /// <summary>The format this build writes and reads.</summary>
    public const int CurrentFormat = 1;

    private static readonly JsonSerializerOptions Json = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower,
        WriteIndented = true,
        Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, // a file, not HTML
        RespectNullableAnnotations = true,
        RespectRequiredConstructorParameters = true,
    };

    /// <summary>Version of the format.</summary>
    public required int Format { get; init; }

    /// <summary>Name of the task.</summary>
    public required string Task { get; init; }

    /// <summary>Name of the split.</summary>
    public required string Split { get; init; }

    /// <summary>Rows of all shards.</summary>
    public required int Rows { get; init; }

    /// <summary>Tokens of a row, padding included.</summary>
    public required int Sequence { get; init; }

    /// <summary>Width of an embedded token.</summary>
    public required int Hidden { get; init; }

    /// <summary>Element type of the embedded tokens, as safetensors spells it: <c>F32</c>.</summary>
    public required string ElementType { get; init; }

    /// <summary>Rows of every shard but the last.</summary>
    public required int RowsPerShard { get; init; }

    /// <summary>Name of the model.</summary>
    public required string Model { get; init; }

    /// <summary>SHA-256 of the embedding's weights as a safetensors file without metadata.</summary>
    public required string EmbeddingSha256 { get; init; }

    /// <summary>Under the root of the embedding's norm.</summary>
    public required double LayerNormEps { get; init; }

    /// <summary>Hash of the tokenizer.</summary>
    public required string TokenizerHash { get; init; }

    /// <summary>Hash over everything that the token ids depend on.</summary>
    public required string DataKey { get; init; }

    /// <summary>What the labels mean.</summary>
    public required ExportLabels Labels { get; init; }

    /// <summary>How rows are filled up.</summary>
    public required ExportPadding Padding { get; init; }

    /// <summary>The rows' ids, UTF-8, a line each.</summary>
    public required ExportFile Ids { get; init; }

    /// <summary>Shards in the order of the rows.</summary>
    public required IReadOnlyList<ExportFile> Shards { get; init; }

    /// <summary>Shards that make up all rows.</summary>
    internal int ShardCount => (int)((Rows + (long)RowsPerShard - 1) / RowsPerShard);

    /// <summary>Tensors of a shard.</summary>
    internal ExportLayout Layout => new(Sequence, Hidden, Labels.Kind == ExportLabels.Number);

    /// <summary>Reads and checks the manifest of a split's folder.</summary>
    /// <exception cref="RefusedException">Missing, damaged, or of another format.</exception>
    public static ExportManifest Load(string folder)
    {
        if (!File.Exists(Path.Combine(folder, FileName)))
        {
            throw new RefusedException(
                $"{folder}: no finished export there (no {FileName})"
                + (File.Exists(Path.Combine(folder, ProgressFileName)) ? "; one was begun: run the same export again to finish it." : "; export the data first."));
        }

        var manifest = Load(folder, FileName)!;
        return manifest.Shards.Count == manifest.ShardCount && manifest.Shards.Select((shard, i) => (shard, i)).All(
            pair => pair.shard.Name == ExportLayout.ShardName(pair.i) && pair.shard.Rows == manifest.RowsOf(pair.i))
            ? manifest
            : throw new RefusedException($"{Path.Combine(folder, FileName)}: its shards do not make up its {manifest.Rows} rows; {Remedy}");
    }

    /// <summary>The finished or unfinished manifest of that name, or null when there is none.</summary>
    internal static ExportManifest? Load(string folder, string name)
    {
        var file = Path.Combine(folder, name);
        if (!File.Exists(file))
        {
            return null;
        }

        try
        {
            var manifest = JsonSerializer.Deserialize<ExportManifest>(File.ReadAllBytes(file), Json) ?? throw new JsonException("null");
            return manifest.Format != CurrentFormat
                ? throw new RefusedException($"{file}: format {manifest.Format}, expected {CurrentFormat}; {Remedy}")
                : manifest is { Rows: > 0, Sequence: > 0, Hidden: > 0, RowsPerShard: > 0, ElementType: "F32", Ids.Name: ExportFile.IdsName }
                ? manifest
                : throw new RefusedException($"{file}: its sizes, element type or names are not those of an export; {Remedy}");
        }
        catch (JsonException e)
        {
            throw new RefusedException($"{file}: damaged: {e.Message} {char.ToUpperInvariant(Remedy[0])}{Remedy[1..]}", e);
        }
    }

    private const string Remedy = "delete the folder and export the data again.";

    /// <summary>Writes the manifest, atomically.</summary>
    internal void Save(string folder, string name) => AtomicFile.WriteText(Path.Combine(folder, name), JsonSerializer.Serialize(this, Json) + "\n");

    /// <summary>First row of a shard.</summary>
    internal int FirstRow(int shard) => shard * RowsPerShard;

    /// <summary>Rows of a shard.</summary>
    internal int RowsOf(int shard) => Math.Min(RowsPerShard, Rows - FirstRow(shard));

    /// <summary>What differs apart from the shards, for people; empty when nothing does.</summary>
    internal string DifferencesFrom(ExportManifest existing)
    {
        var now = JsonSerializer.SerializeToNode(this with { Shards = [] }, Json)!.AsObject();
        var there = JsonSerializer.SerializeToNode(existing with { Shards = [] }, Json)!.AsObject();
        return string.Join("; ", now.Where(pair => !JsonNode.DeepEquals(pair.Value, there[pair.Key])).Select(
            pair => $"{pair.Key} was {there[pair.Key]!.ToJsonString()}, now {pair.Value!.ToJsonString()}"));
    }
}

/// <summary>What the labels of an export mean.</summary>
/// <param name="Kind"><see cref="Class"/>: I64, a class; <see cref="Number"/>: F32.</param>
/// <param name="Present">False in splits without labels: then all are −1, or not-a-number.</param>
/// <param name="Classes">Names of the classes in the order of their numbers.</param>
public sealed record ExportLabels(string Kind, bool Present, IReadOnlyList<string> Classes)
{
    public const string Class = "class";
    public const string Number = "number";
}

/// <summary>How the rows of an export are filled up.</summary>
/// <param name="Side">Always <c>right</c>.</param>
/// <param name="Id">Token id of padding.</param>
/// <param name="Embedded">Always <c>padding_token</c>: there are embedded padding tokens, as in fine-tuning, not zeros.</param>
/// <param name="MaskAtTokens">The mask's value at tokens; 0 at padding.</param>
public sealed record ExportPadding(string Side, int Id, string Embedded, int MaskAtTokens);

/// <summary>A file of an export.</summary>
/// <param name="Name">Name in the split's folder.</param>
/// <param name="Rows">Rows it holds.</param>
/// <param name="Bytes">Its size.</param>
/// <param name="Sha256">64 lower-case hexadecimal digits.</param>
public sealed record ExportFile(string Name, int Rows, long Bytes, string Sha256)
{
    /// <summary>Name of the file with the rows' ids.</summary>
    public const string IdsName = "ids.txt";
}
