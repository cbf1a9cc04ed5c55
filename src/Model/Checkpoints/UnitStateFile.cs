using System.Globalization;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>
/// Everything of one unit that a resumed run needs, in the safetensors layout: its weights, their moments as
/// <c>&lt;parameter&gt;.exp_avg</c> and <c>.exp_avg_sq</c>, the random state as <c>rng_state</c>, and the optimiser's step count. One file
/// per unit, so that a run may go on with another cut of the model.
/// </summary>
public static class UnitStateFile
{
    private const string RngName = "rng_state";
    private const string StepKey = "optimiser_step";

    /// <summary>Writes a unit; the optimiser may have other parameters too. Equal states give equal bytes.</summary>
    public static void Write(Stream stream, IReadOnlyList<NamedParameter> parameters, AdamW optimiser, ReadOnlySpan<byte> rng)
    {
        using var rngTensor = zeros([rng.Length], ScalarType.Byte);
        rng.CopyTo(rngTensor.bytes);
        UnitStateCodec.Write(
            stream,
            [.. Tensors(parameters, optimiser), (RngName, rngTensor)],
            new Dictionary<string, string> { [StepKey] = optimiser.StepCount.ToString(CultureInfo.InvariantCulture) });
    }

    /// <summary>Overwrites a unit's weights, their moments and the optimiser's step count.</summary>
    /// <param name="stream">What <see cref="Write"/> wrote.</param>
    /// <param name="parameters">The unit's parameters: exactly those of the file.</param>
    /// <param name="optimiser">An optimiser that has these parameters; it may have others too.</param>
    /// <param name="source">What to call the stream in messages.</param>
    /// <returns>The random state's bytes.</returns>
    /// <exception cref="RefusedException">
    /// The file is of another unit, shape or type, or damaged. Nothing has been changed then, unless a stream that cannot tell its length ends early.
    /// </exception>
    public static byte[] Read(Stream stream, IReadOnlyList<NamedParameter> parameters, AdamW optimiser, string source)
    {
        var header = UnitStateCodec.ReadHeader(stream, source);
        if (!header.Metadata.TryGetValue(StepKey, out var text)
            || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var step))
        {
            throw new RefusedException($"{source}: the metadata has no whole number {StepKey}; this is not a unit's state.");
        }

        var into = Tensors(parameters, optimiser).ToDictionary(pair => pair.Name, pair => pair.Value);
        foreach (var (name, tensor) in into)
        {
            var entry = header.Entries.FirstOrDefault(e => e.Name == name)
                ?? throw new RefusedException($"{source} has no tensor {name}; its first is {header.Entries.FirstOrDefault()?.Name ?? "none"}.");
            if (entry.Type != tensor.dtype || !entry.Shape.SequenceEqual(tensor.shape))
            {
                throw new RefusedException(
                    $"{source}: {name} is {entry.Type} [{string.Join(", ", entry.Shape)}], but the model has {tensor.dtype} [{string.Join(", ", tensor.shape)}].");
            }
        }

        if (header.Entries.FirstOrDefault(e => !into.ContainsKey(e.Name) && e.Name != RngName) is { } unknown)
        {
            throw new RefusedException($"{source} has a tensor {unknown.Name} that the unit has not.");
        }

        if (header.Entries.FirstOrDefault(e => e.Name == RngName) is not { Type: ScalarType.Byte, Shape.Length: 1 } rngEntry)
        {
            throw new RefusedException($"{source} has no {RngName} of bytes.");
        }

        var rng = new byte[rngEntry.Shape[0]];
        foreach (var entry in header.Entries)
        {
            if (entry.Name == RngName)
            {
                stream.ReadExactly(rng);
            }
            else
            {
                RawTensor.Read(stream, into[entry.Name]);
            }
        }

        optimiser.StepCount = step;
        return rng;
    }

    private static IEnumerable<(string Name, Tensor Value)> Tensors(IReadOnlyList<NamedParameter> parameters, AdamW optimiser)
    {
        foreach (var parameter in parameters)
        {
            var state = optimiser.State(parameter.Name);
            yield return (parameter.Name, parameter.Value);
            yield return ($"{parameter.Name}.exp_avg", state.ExpAvg);
            yield return ($"{parameter.Name}.exp_avg_sq", state.ExpAvgSq);
        }
    }
}
