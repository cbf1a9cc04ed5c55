using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>SHA-256 digests of a unit's state, each 64 lower-case hexadecimal digits. Equal digests mean equal bits.</summary>
/// <param name="Weights">Names, types, shapes and bytes of the parameters.</param>
/// <param name="Optimiser">The optimiser's step count and the moments, likewise.</param>
/// <param name="Rng">The random state's bytes.</param>
public sealed record StateDigest(string Weights, string Optimiser, string Rng)
{
    /// <summary>Digests of a unit, parameters in the order given. Reads CPU tensors in place.</summary>
    public static StateDigest Of(IReadOnlyList<NamedParameter> parameters, AdamW optimiser, ReadOnlySpan<byte> rng)
    {
        using var weights = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var moments = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(moments, optimiser.StepCount);
        foreach (var parameter in parameters)
        {
            var state = optimiser.State(parameter.Name);
            Append(weights, parameter.Name, parameter.Value);
            Append(moments, $"{parameter.Name}.exp_avg", state.ExpAvg);
            Append(moments, $"{parameter.Name}.exp_avg_sq", state.ExpAvgSq);
        }

        return new StateDigest(
            Convert.ToHexStringLower(weights.GetHashAndReset()),
            Convert.ToHexStringLower(moments.GetHashAndReset()),
            Convert.ToHexStringLower(SHA256.HashData(rng)));
    }

    // Every field of unknown length goes in behind its length, so that no two states give the same bytes.
    private static void Append(IncrementalHash hash, string name, Tensor tensor)
    {
        Append(hash, name);
        Append(hash, tensor.dtype.ToString());
        Append(hash, tensor.shape.Length);
        foreach (var size in tensor.shape)
        {
            Append(hash, size);
        }

        TensorBytes.Visit(tensor, hash.AppendData);
    }

    private static void Append(IncrementalHash hash, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        Append(hash, bytes.Length);
        hash.AppendData(bytes);
    }

    private static void Append(IncrementalHash hash, long number)
    {
        Span<byte> bytes = stackalloc byte[sizeof(long)];
        BinaryPrimitives.WriteInt64LittleEndian(bytes, number);
        hash.AppendData(bytes);
    }
}
