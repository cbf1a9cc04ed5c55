using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Common;

namespace ActorTrainer.Host.Reports;

/// <summary>Answers at which step and in which layer two runs part, by the digests of their weights, optimiser and RNG states.</summary>
public static class CompareRuns
{
    /// <summary>Compares the digests of two runs' folders, step by step, layer by layer in model order.</summary>
    /// <exception cref="RefusedException">A folder or its digests are missing, or the runs have no step in common.</exception>
    public static RunComparison Compare(string folderA, string folderB)
    {
        var a = Read(folderA);
        var b = Read(folderB);
        var common = a.Keys.Where(b.ContainsKey).ToList();
        if (common.Count == 0)
        {
            throw new RefusedException(
                $"{folderA} has digests of {Steps([.. a.Keys])} and {folderB} of {Steps([.. b.Keys])}: no step to compare. " +
                "Run both with the same impl.digest_every, e.g. impl.digest_every=1.");
        }

        var first = common.Select(step => Difference(step, a[step], b[step])).FirstOrDefault(d => d is not null);
        return new RunComparison(
            folderA,
            folderB,
            first is null ? common : [.. common.Where(s => s <= first.Step)],
            [.. a.Keys.Where(s => !b.ContainsKey(s))],
            [.. b.Keys.Where(s => !a.ContainsKey(s))],
            a[common[0]].Count,
            first);
    }

    /// <summary>Says the outcome in a few lines and returns the exit code: 0 agree, 1 differ.</summary>
    public static int Print(RunComparison comparison, TextWriter output)
    {
        output.WriteLine($"A: {comparison.FolderA}");
        output.WriteLine($"B: {comparison.FolderB}");
        if (comparison.First is { } first)
        {
            var before = comparison.Compared.Count - 1;
            output.WriteLine($"The runs differ first after step {first.Step}, in {Describe(first)}.");
            output.WriteLine(before > 0
                ? $"They agree before: {Steps([.. comparison.Compared.Take(before)])}."
                : "No earlier step has digests in both runs.");
        }
        else
        {
            output.WriteLine(
                $"The runs agree bit for bit: {Steps(comparison.Compared)}, {comparison.Layers} layers, weights, optimiser and RNG states.");
        }

        Only("A", comparison.OnlyA);
        Only("B", comparison.OnlyB);
        return comparison.ExitCode;

        void Only(string run, IReadOnlyList<long> steps)
        {
            if (steps.Count > 0)
            {
                output.WriteLine($"Digests in {run} only, not compared: {Steps(steps)}.");
            }
        }
    }

    private static SortedDictionary<long, IReadOnlyList<LayerDigest>> Read(string folder)
    {
        if (!Directory.Exists(folder))
        {
            throw new RefusedException($"{folder} is not a folder: expected the folder of a run, with its {MetricsLog.DigestsFile}.");
        }

        var digests = RunMetrics.ReadDigests(folder);
        return digests.Count > 0
            ? digests
            : throw new RefusedException(
                $"{folder} has no digests ({MetricsLog.DigestsFile} is missing or empty): run it again with impl.digest_every=1.");
    }

    private static DigestDifference? Difference(long step, IReadOnlyList<LayerDigest> a, IReadOnlyList<LayerDigest> b)
    {
        var others = b.ToDictionary(l => l.Layer);
        foreach (var layer in a)
        {
            if (!others.Remove(layer.Layer, out var other))
            {
                return new DigestDifference(step, layer.Layer, DigestPart.Layer, layer.Weights, null);
            }

            if (layer.Weights != other.Weights)
            {
                return new DigestDifference(step, layer.Layer, DigestPart.Weights, layer.Weights, other.Weights);
            }

            if (layer.Optimiser != other.Optimiser)
            {
                return new DigestDifference(step, layer.Layer, DigestPart.Optimiser, layer.Optimiser, other.Optimiser);
            }

            if (layer.Rng != other.Rng)
            {
                return new DigestDifference(step, layer.Layer, DigestPart.Rng, layer.Rng, other.Rng);
            }
        }

        return b.FirstOrDefault(l => others.ContainsKey(l.Layer)) is { } extra
            ? new DigestDifference(step, extra.Layer, DigestPart.Layer, null, extra.Weights)
            : null;
    }

    private static string Describe(DigestDifference d) => d.Part switch
    {
        DigestPart.Layer => $"layer {d.Layer}: only run {(d.DigestA is null ? "B" : "A")} has it",
        DigestPart.Weights => $"layer {d.Layer}: weights {Short(d.DigestA)} against {Short(d.DigestB)}",
        DigestPart.Optimiser => $"layer {d.Layer}: optimiser state {Short(d.DigestA)} against {Short(d.DigestB)}",
        _ => $"layer {d.Layer}: RNG state {Short(d.DigestA)} against {Short(d.DigestB)}",
    };

    private static string Short(string? digest) => digest is { Length: > 12 } ? digest[..12] : digest ?? "";

    private static string Steps(IReadOnlyList<long> steps) => steps.Count switch
    {
        1 => $"1 step ({steps[0]})",
        _ => $"{steps.Count} steps ({steps[0]} … {steps[^1]})",
    };
}
