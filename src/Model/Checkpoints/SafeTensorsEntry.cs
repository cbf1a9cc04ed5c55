namespace ActorTrainer.Model.Checkpoints;

/// <summary>One tensor of a safetensors file.</summary>
/// <param name="Name">Key in the header.</param>
/// <param name="DType">Element type as the format spells it, e.g. <c>F32</c>.</param>
/// <param name="Shape">Sizes of the dimensions; empty for a scalar.</param>
/// <param name="Begin">First byte, counted from the start of the data section.</param>
/// <param name="End">One past the last byte.</param>
public sealed record SafeTensorsEntry(string Name, string DType, IReadOnlyList<long> Shape, long Begin, long End)
{
    /// <summary>Bytes of the tensor.</summary>
    public long Length => End - Begin;

    /// <summary><c>[2, 3]</c>.</summary>
    internal string ShapeText => $"[{string.Join(", ", Shape)}]";
}
