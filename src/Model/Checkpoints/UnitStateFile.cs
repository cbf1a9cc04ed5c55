using System.Globalization;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Ranges;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Checkpoints;

/// <summary>
/// Everything of one unit that a resumed run needs, in the safetensors layout: its weights, their moments as
/// <c>&lt;parameter&gt;.exp_avg</c> and <c>.exp_avg_sq</c>, the random state as <c>rng_state</c>, the optimiser's step count, and the ranges recorded so far. One file
/// per unit, so that a run may go on with another cut of the model.
/// </summary>
public static class UnitStateFile
{
    private const string RngName = "rng_state";
    private const string StepKey = "optimiser_step";
    private const string RangesKey = "ranges";

    /// <summary>Writes a unit; the optimiser may have other parameters too. Equal states give equal bytes, whatever the order of the parameters.</summary>
    public static void Write(Stream stream, IReadOnlyList<NamedParameter> parameters, AdamW optimiser, ReadOnlySpan<byte> rng, UnitRanges? ranges = null)
    {
        var metadata = new Dictionary<string, string> { [StepKey] = optimiser.StepCount.ToString(CultureInfo.InvariantCulture) };
        if (ranges is { Sites.Count: > 0 })
        {
            metadata[RangesKey] = ranges.ToJson();
        }

        using var rngTensor = zeros([rng.Length], ScalarType.Byte);
        rng.CopyTo(rngTensor.bytes);
        SafeTensors.Write(
            stream,
            [.. Tensors(parameters, optimiser), (RngName, rngTensor)],
            metadata);
    }

    /// <summary>The ranges recorded in a file of what <see cref="Write"/> wrote.</summary>
    /// <exception cref="RefusedException">It is damaged.</exception>
    public static UnitRanges Ranges(string path) =>
        SafeTensors.Read(path).Metadata.TryGetValue(RangesKey, out var text) ? UnitRanges.Parse(text, path) : UnitRanges.None;

    /// <summary>Overwrites a unit's weights, their moments and the optimiser's step count.</summary>
    /// <param name="path">A file of what <see cref="Write"/> wrote.</param>
    /// <param name="parameters">The unit's parameters: exactly those of the file.</param>
    /// <param name="optimiser">An optimiser that has these parameters; it may have others too.</param>
    /// <returns>The random state's bytes.</returns>
    /// <exception cref="RefusedException">
    /// The file is of another unit, shape or type, or damaged. Nothing has been changed then, unless the file changes while it is read.
    /// </exception>
    public static byte[] Read(string path, IReadOnlyList<NamedParameter> parameters, AdamW optimiser)
    {
        var header = SafeTensors.Read(path);
        if (!header.Metadata.TryGetValue(StepKey, out var text)
            || !long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var step))
        {
            throw new RefusedException($"{path}: the metadata has no whole number {StepKey}; this is not a unit's state.");
        }

        var into = Tensors(parameters, optimiser).ToDictionary(pair => pair.Name, pair => pair.Value);
        RequireSame(header, into);
        using var rng = SafeTensors.Load(header, RngName);
        foreach (var (name, tensor) in into)
        {
            SafeTensors.LoadInto(header, name, tensor);
        }

        optimiser.StepCount = step;
        return rng.bytes.ToArray();
    }

    /// <summary>Stricter than <see cref="SafeTensors.LoadInto"/>, which converts types: a resumed run must have the very bits.</summary>
    private static void RequireSame(SafeTensorsHeader header, Dictionary<string, Tensor> into)
    {
        foreach (var (name, tensor) in into)
        {
            var entry = header[name];
            if (SafeTensorsType.Torch(entry.DType) != tensor.dtype || !entry.Shape.SequenceEqual(tensor.shape))
            {
                throw new RefusedException(
                    $"{header.Path}: {name} is {entry.DType} {entry.ShapeText}, but the model has {SafeTensorsType.Name(tensor.dtype)} [{string.Join(", ", tensor.shape)}].");
            }
        }

        if (header.Entries.FirstOrDefault(e => !into.ContainsKey(e.Name) && e.Name != RngName) is { } unknown)
        {
            throw new RefusedException($"{header.Path} has a tensor {unknown.Name} that the unit has not.");
        }

        if (header.Find(RngName) is not { DType: "U8", Shape.Count: 1 })
        {
            throw new RefusedException($"{header.Path} has no {RngName} of bytes.");
        }
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
