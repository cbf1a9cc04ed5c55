using static TorchSharp.torch;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>Element types of the format: sizes, and their Torch counterparts where there are some.</summary>
internal static class SafeTensorsType
{
    private static readonly Dictionary<string, (int Size, ScalarType? Torch)> Known = new(StringComparer.Ordinal)
    {
        ["BOOL"] = (1, ScalarType.Bool),
        ["U8"] = (1, ScalarType.Byte),
        ["I8"] = (1, ScalarType.Int8),
        ["F8_E5M2"] = (1, null),
        ["F8_E4M3"] = (1, null),
        ["F8_E8M0"] = (1, null),
        ["I16"] = (2, ScalarType.Int16),
        ["U16"] = (2, null),
        ["F16"] = (2, ScalarType.Float16),
        ["BF16"] = (2, ScalarType.BFloat16),
        ["I32"] = (4, ScalarType.Int32),
        ["U32"] = (4, null),
        ["F32"] = (4, ScalarType.Float32),
        ["I64"] = (8, ScalarType.Int64),
        ["U64"] = (8, null),
        ["F64"] = (8, ScalarType.Float64),
        ["C64"] = (8, ScalarType.ComplexFloat32),
    };

    private static readonly Dictionary<ScalarType, string> Names =
        Known.Where(pair => pair.Value.Torch is not null).ToDictionary(pair => pair.Value.Torch!.Value, pair => pair.Key);

    /// <summary>All spellings, for error messages.</summary>
    public static string All => string.Join(", ", Known.Keys);

    /// <summary>Bytes of one element, or null for a type that the format does not have.</summary>
    public static int? Size(string name) => Known.TryGetValue(name, out var type) ? type.Size : null;

    /// <summary>The Torch type, or null where Torch has none that is supported here.</summary>
    public static ScalarType? Torch(string name) => Known.TryGetValue(name, out var type) ? type.Torch : null;

    /// <summary>The format's name of a Torch type, or null.</summary>
    public static string? Name(ScalarType type) => Names.GetValueOrDefault(type);
}
