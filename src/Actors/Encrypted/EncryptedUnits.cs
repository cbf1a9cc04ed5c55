using ActorTrainer.He.Approximation;
using ActorTrainer.He.Circuits;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Ranges;
using static TorchSharp.torch;

namespace ActorTrainer.Actors.Encrypted;

/// <summary>Makes the units of an encrypted model from its recipe and the base's weights.</summary>
public sealed class EncryptedUnits
{
    private readonly EncryptedRecipe _recipe;
    private readonly Lazy<TokenShifts> _shifts;
    private readonly Dictionary<FunctionSite, FunctionFit> _fits;

    /// <param name="recipe">The run's.</param>
    /// <param name="packing">See <see cref="EncryptedRecipe.Packing"/>.</param>
    public EncryptedUnits(EncryptedRecipe recipe, Packing packing)
    {
        (_recipe, Packing) = (recipe.Validate(), packing);
        _shifts = new(() => new TokenShifts(packing));
        _fits = Calibration.Parse(recipe.Calibration, "the run's calibration").Sites.ToDictionary(site => site.Site, site => site.Fit);
    }

    public Packing Packing { get; }

    private bool IsRegression => _recipe.Shape.Outputs == 1;

    /// <summary>Where the learned numbers of a unit lie.</summary>
    public UnitLayout Layout(string unit) => IsHead(unit) ? HeadLayout() : AdapterLayout();

    /// <summary>A unit of pre-trained weights, without learned ones yet.</summary>
    /// <param name="unit">One of <see cref="EncryptedRecipe.Units"/>.</param>
    /// <param name="file">The unit's pre-trained weights in the safetensors layout.</param>
    /// <exception cref="RefusedException">The file, or the calibration, lacks something, or sizes do not fit the packing.</exception>
    public EncryptedUnit Create(string unit, string file)
    {
        var header = SafeTensorsHeader.Read(file);
        return Create(unit, name => Numbers(header, name));
    }

    /// <summary>The same of weights that come from elsewhere.</summary>
    /// <param name="numbers">All numbers of a tensor, by its name in model files.</param>
    /// <exception cref="RefusedException">The calibration lacks something, or sizes do not fit the packing.</exception>
    public EncryptedUnit Create(string unit, Func<string, double[]> numbers)
    {
        try
        {
            return Make(unit, numbers);
        }
        catch (ArgumentException e)
        {
            throw new RefusedException($"{unit} cannot be made for {Packing.Tokens} tokens of {Packing.Batch} examples: {e.Message.Split(" (Parameter ")[0]} (eval.pooler_rank, eval.pooler_width, he.tokens, he.batch)", e);
        }
    }

    private EncryptedUnit Make(string unit, Func<string, double[]> numbers)
    {
        var optim = _recipe.Optim;
        var settings = new AdamWSettings(optim.Beta1, optim.Beta2, optim.Eps, optim.WeightDecay);
        var root = Optimiser(unit);
        if (IsHead(unit))
        {
            return new EncryptedHeadUnit(unit, HeadLayout(), Head(unit, numbers), settings, root);
        }

        var layer = int.Parse(unit.AsSpan("layers.".Length), System.Globalization.CultureInfo.InvariantCulture);
        return new EncryptedLayerUnit(unit, AdapterLayout(), _shifts.Value, Layer(unit, layer, numbers), _recipe.Shape.Lora!.Scale, settings, root);
    }

    private static bool IsHead(string unit) => unit == "head";

    private AdapterLayout AdapterLayout() => new(Packing, _recipe.Shape.Lora!.Rank);

    private HeadLayout HeadLayout() => new(new HeadShape(Packing, _recipe.Shape.PoolerRank, _recipe.Shape.PoolerWidth, _recipe.Shape.Outputs));

    private HeadBase Head(string unit, Func<string, double[]> numbers) => new()
    {
        NormWeight = numbers("encoder.final_norm.weight"),
        NormBias = numbers("encoder.final_norm.bias"),
        Epsilon = _recipe.Arch.LayerNormEps,
        Root = Circuit(unit, "norm", PointFunction.NormInverseRoot),
        Tanh = Circuit(unit, "pooler", PointFunction.Tanh),
        Loss = IsRegression
            ? new SquaredLoss(EncryptedHeadUnit.LossOf(unit))
            : new CrossEntropyLoss(Circuit(unit, "loss.exp", PointFunction.LossExp), Circuit(unit, "loss.sum", PointFunction.LossReciprocal), EncryptedHeadUnit.LossOf(unit)),
    };

    private EncoderWeights Layer(string unit, int layer, Func<string, double[]> numbers)
    {
        double[] Of(string name) => numbers(ParameterNames.Layer(layer, name));
        return new EncoderWeights
        {
            Hidden = _recipe.Arch.Hidden,
            Inner = _recipe.Arch.FeedForward / 2,
            Norm1Weight = Of("norm1.weight"),
            Norm1Bias = Of("norm1.bias"),
            Norm2Weight = Of("norm2.weight"),
            Norm2Bias = Of("norm2.bias"),
            Projections = [Of(ParameterNames.QueryProjection), Of(ParameterNames.KeyProjection), Of(ParameterNames.ValueProjection)],
            Dense = Of("attn.dense.weight"),
            DenseIn = Of("ffn.dense_in.weight"),
            DenseOut = Of("ffn.dense_out.weight"),
            Epsilon = _recipe.Arch.LayerNormEps,
            Norm1 = Fit(unit, "norm1", PointFunction.NormInverseRoot),
            Exp = Fit(unit, "attention", PointFunction.KernelExp),
            Norm2 = Fit(unit, "norm2", PointFunction.NormInverseRoot),
            Relu = Fit(unit, "gate", PointFunction.Relu),
        };
    }

    /// <summary>Weights that never had a gradient have ε under the root, and so have slots without a weight.</summary>
    private FunctionCircuit Optimiser(string unit)
    {
        var (site, eps) = (RangeRecorder.OptimiserSite(unit), _recipe.Optim.Eps);
        var fit = Fit(unit, site.Place, site.Function);
        return fit.Low <= eps && eps <= fit.High
            ? FunctionCircuit.For(fit)
            : throw new RefusedException($"The calibration's optimiser root of {unit} is for {fit.Low:g3} to {fit.High:g3}, without eval.optim.eps={eps:g3}: calibrate with the ε that is trained with.");
    }

    private FunctionCircuit Circuit(string unit, string place, PointFunction function) => FunctionCircuit.For(Fit(unit, place, function));

    private FunctionFit Fit(string unit, string place, PointFunction function) => _fits.TryGetValue(new FunctionSite(unit, place, function), out var fit)
        ? fit
        : throw new RefusedException($"The calibration has no {function} at {unit}.{place}: calibrate this model by fine-tuning it in the clear with eval.calibrate_every (docs/encrypted-finetuning.md).");

    private static double[] Numbers(SafeTensorsHeader header, string name)
    {
        using var scope = NewDisposeScope();
        return SafeTensors.Load(header, name).to(ScalarType.Float64).contiguous().data<double>().ToArray();
    }
}
