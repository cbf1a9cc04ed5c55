using ActorTrainer.He.Approximation;
using ActorTrainer.He.Parameters;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Ranges;

namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>What stands for a model that is not there yet: weights without zeros, which decide what is computed, and functions on the published domains (arXiv 2410.02486, appendix).</summary>
public static class MadeModel
{
    /// <summary>M of the optimiser's root; from its ε on.</summary>
    private const double OptimiserBound = 1;

    /// <summary>The error that calibrations allow inverse roots.</summary>
    private const double InverseRootError = 1e-5;

    /// <summary>Levels of attention around the kernel's squarings.</summary>
    private const int KernelLevels = 4;

    /// <summary>tanh of the pooler.</summary>
    private const double TanhBound = 16;

    private const int TanhDegree = 127;

    /// <summary>Losses.</summary>
    private const int LossDegree = 15;

    private const int ReciprocalDegree = 63;

    /// <summary>k of the published domain of the kernel's exponential, [−2^k, 0].</summary>
    public static int PublishedSquarings { get; } = (int)Math.Log2(new RangeTargets().Kernel);

    /// <summary>Numbers of a tensor by its name in model files: from ½ to 1 and the same each time, so that all layers are alike.</summary>
    /// <exception cref="ArgumentException">Encrypted units have no such tensor.</exception>
    public static double[] Weights(BertConfig arch, string name)
    {
        var (hidden, inner) = (arch.Hidden, arch.FeedForward / 2);
        var count = name switch
        {
            _ when name.Contains("norm", StringComparison.Ordinal) => hidden,
            _ when name.EndsWith("ffn.dense_in.weight", StringComparison.Ordinal) => 2 * inner * hidden,
            _ when name.EndsWith("ffn.dense_out.weight", StringComparison.Ordinal) => hidden * inner,
            _ when name.Contains(".attn.", StringComparison.Ordinal) => hidden * hidden,
            _ => throw new ArgumentException($"Expected a tensor of a layer or the final norm, found {name}.", nameof(name)),
        };
        var random = new Random(1);
        return [.. Enumerable.Range(0, count).Select(_ => 0.5 + (random.NextDouble() / 2))];
    }

    /// <summary>Polynomials for all functions of these units.</summary>
    /// <param name="units">Layers and head.</param>
    /// <param name="outputs">Classes, or 1 for a number, which has no softmax.</param>
    public static Calibration Calibration(IReadOnlyList<string> units, int outputs, AdamWOptions optim, CkksParameters parameters) => new()
    {
        Sites = [.. units.SelectMany(unit => Sites(unit, outputs, optim, Squarings(parameters)))],
    };

    /// <summary>k of the kernel's exponential on [−2^k, 0]: as published, or as many squarings as there are levels for.</summary>
    public static int Squarings(CkksParameters parameters) => Math.Clamp(parameters.UsableLevels - KernelLevels, 1, PublishedSquarings);

    private static IEnumerable<CalibratedSite> Sites(string unit, int outputs, AdamWOptions optim, int squarings)
    {
        var norm = new RangeTargets().Of(PointFunction.NormInverseRoot)!.Value;
        if (unit == "head")
        {
            yield return Site("norm", PointFunction.NormInverseRoot, FunctionFits.InverseRootForError(norm.Low, norm.High, InverseRootError));
            yield return Site("pooler", PointFunction.Tanh, FunctionFits.Tanh(TanhBound, TanhDegree));
            if (outputs > 1)
            {
                yield return Site("loss.exp", PointFunction.LossExp, FunctionFits.Exp(-2, 2, LossDegree));
                // A sum of exponentials of numbers from −2 to 2.
                yield return Site("loss.sum", PointFunction.LossReciprocal, FunctionFits.Reciprocal(outputs * Math.Exp(-2), outputs * Math.Exp(2), ReciprocalDegree));
            }
        }
        else
        {
            yield return Site("norm1", PointFunction.NormInverseRoot, FunctionFits.InverseRootForError(norm.Low, norm.High, InverseRootError));
            yield return Site("attention", PointFunction.KernelExp, FunctionFits.PowerExp(squarings));
            yield return Site("norm2", PointFunction.NormInverseRoot, FunctionFits.InverseRootForError(norm.Low, norm.High, InverseRootError));
            yield return Site("gate", PointFunction.Relu, FunctionFits.Relu(new RangeTargets().Relu));
        }

        yield return Site("optimiser", PointFunction.OptimiserInverseRoot, FunctionFits.InverseRootForError(Math.Min(optim.Eps, OptimiserBound / 2_000), OptimiserBound, InverseRootError));

        CalibratedSite Site(string place, PointFunction function, FunctionFit fit) => new(unit, place, function, new RangeStatistics
        {
            Count = 1,
            Min = fit.Low,
            Max = fit.High,
            Sum = 0,
            SumOfSquares = 0,
        }, fit);
    }
}
