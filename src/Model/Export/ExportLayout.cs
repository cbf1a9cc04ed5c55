using ActorTrainer.Model.Checkpoints;

namespace ActorTrainer.Model.Export;

/// <summary>Tensors of a shard.</summary>
internal sealed record ExportLayout(int Sequence, int Hidden, bool IsRegression)
{
    public const string Embedded = "embedded";
    public const string Mask = "mask";
    public const string TokenCount = "token_count";
    public const string Label = "label";
    public const string Row = "row";

    /// <summary>Bytes of the embedded tokens of a row.</summary>
    public long EmbeddedBytes => sizeof(float) * (long)Sequence * Hidden;

    /// <summary>Bytes of a row in all tensors.</summary>
    public long RowBytes => EmbeddedBytes + Sequence + sizeof(int) + (IsRegression ? sizeof(float) : sizeof(long)) + sizeof(long);

    public static string ShardName(int index) => $"rows-{index:D5}.safetensors";

    /// <summary>The tensors of a shard of that many rows, in the order of the file.</summary>
    public IReadOnlyList<SafeTensorsEntry> Tensors(int rows) => SafeTensors.LayOut(
    [
        (Embedded, "F32", [rows, Sequence, Hidden]),
        (Mask, "U8", [rows, Sequence]),
        (TokenCount, "I32", [rows]),
        (Label, IsRegression ? "F32" : "I64", [rows]),
        (Row, "I64", [rows]),
    ]);
}
