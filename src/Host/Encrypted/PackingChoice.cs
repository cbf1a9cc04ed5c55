using System.Numerics;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.He.Parameters;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Encrypted;

/// <summary>How a model's numbers are packed.</summary>
internal static class PackingChoice
{
    /// <summary>
    /// As the configuration says; where it leaves it open, tokens for the whole sequence, and as many examples as let an activation fit one ciphertext.
    /// </summary>
    /// <exception cref="RefusedException">It does not fit the parameters.</exception>
    public static PackingShape Of(HeOptions he, BertConfig arch, CkksParameters parameters)
    {
        var width = arch.Hidden / arch.Heads;
        var tokens = he.Tokens > 0 ? he.Tokens : Up(arch.Sequence);
        var batch = he.Batch > 0 ? he.Batch : Math.Max(1, parameters.Slots / (tokens * Up(width) * Up(arch.Heads)));
        var shape = new PackingShape(tokens, batch, arch.Heads, width);
        shape.Of(parameters);
        return shape;
    }

    private static int Up(int number) => (int)BitOperations.RoundUpToPowerOf2((uint)number);
}
