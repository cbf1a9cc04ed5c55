namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>Which block of a unit a part of the program belongs to. Parts and sites of refreshes are named UNIT.PART….</summary>
internal static class PlanBlocks
{
    /// <summary>Blocks of a layer in the order of its forward pass, then those of the head, then what both have.</summary>
    public static IReadOnlyList<string> Order { get; } = ["norm1", "qkv, adapters", "attention", "dense", "norm2", "ffn", "sums", "norm", "pooler, head", "loss", "gradients", "optimiser"];

    /// <param name="unit">Name of the unit.</param>
    /// <param name="name">Of a part or site; empty for what is outside of any part.</param>
    public static string Of(string unit, string name)
    {
        var isHead = unit == "head";
        var part = name.StartsWith($"{unit}.", StringComparison.Ordinal) ? name[(unit.Length + 1)..].Split('.')[0] : "";
        return part switch
        {
            "qkv" or "q" or "k" or "v" => "qkv, adapters",
            "terms" => "gradients",
            _ when part.StartsWith("pack", StringComparison.Ordinal) || part.StartsWith("optimiser", StringComparison.Ordinal) => "optimiser",
            _ when isHead => part is "norm" or "loss" ? part : "pooler, head",
            "" => "sums",
            _ => part,
        };
    }

    /// <summary>Weights are spread for the first micro-batch of a step, and packed and updated after the last.</summary>
    public static PlanPass PassOf(string block, PlanPass pass) => block == "optimiser" ? PlanPass.Step : pass;
}
