using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Ranges;

namespace ActorTrainer.Host.FineTuning;

/// <summary>Polynomials in place of functions: which calibration, and how it held.</summary>
internal static class Polynomials
{
    /// <summary>The calibration that the configuration names, or the model's own.</summary>
    /// <param name="named">eval.calibration.</param>
    /// <param name="own">File beside the model, null when there is none.</param>
    /// <param name="model">Name of the model.</param>
    /// <exception cref="RefusedException">There is none, or it cannot be read.</exception>
    public static Calibration Load(string named, string? own, string model) => Calibration.Load(
        named.Length > 0 ? named : own ?? throw new RefusedException(
            $"eval.functions=polynomial needs the ranges of function inputs, and {model} has no {Calibration.FileName}: fine-tune with eval.calibrate_every=10 first, "
            + "or name a calibration with eval.calibration=FILE."));

    /// <summary>Says how many inputs lay outside of their domains.</summary>
    /// <param name="output">Where to say it.</param>
    /// <param name="what">What was computed.</param>
    /// <param name="functions">Inputs by site.</param>
    public static void Report(TextWriter output, string what, IReadOnlyDictionary<FunctionSite, OutOfDomain> functions)
    {
        var outside = functions.Where(site => site.Value.Outside > 0).OrderBy(site => site.Key.ToString(), StringComparer.Ordinal).ToList();
        output.WriteLine(outside.Count == 0
            ? $"  polynomials     {what}: all inputs inside of the domains of {functions.Count} functions"
            : $"  polynomials     {what}: inputs outside of their domains at {outside.Count} of {functions.Count} functions:");
        foreach (var (site, count) in outside)
        {
            output.WriteLine($"    {site} {site.Function}: {count.Outside:N0} of {count.Count:N0}, at worst {count.Worst:0.###} widths of the domain away");
        }
    }
}
