using ActorTrainer.Model.Bert;
using static TorchSharp.torch;

namespace ActorTrainer.Model.Optimisation;

/// <summary>
/// AdamW with decoupled weight decay (Loshchilov and Hutter, arXiv 1711.05101), in the operation order of PyTorch's
/// <c>torch.optim.AdamW</c> and with its bits, over named parameters and with named state: the unit files of checkpoints and the digests
/// need names, and the clip factor comes from outside because the global norm spans stages.
/// <code>
/// g ← clip·g (only when clip &lt; 1);  p ← p·(1 − lr·wd);  m ← β₁m + (1 − β₁)g;  v ← β₂v + (1 − β₂)g²
/// p ← p − lr/(1 − β₁ᵗ) · m / (√v/√(1 − β₂ᵗ) + ε)        or, with ε inside the root, / √(v/(1 − β₂ᵗ) + ε)
/// </code>
/// </summary>
public sealed class AdamW : IDisposable
{
    private readonly AdamWOptions _options;
    private readonly Dictionary<string, AdamWState> _states = [];
    private Tensor? _scratch;
    private Func<Tensor, Tensor>? _inverseRoot;

    /// <summary>Makes zero moments for each parameter, on its device and of its type.</summary>
    /// <exception cref="ArgumentException">Two parameters have one name.</exception>
    public AdamW(IReadOnlyList<NamedParameter> parameters, AdamWOptions options)
    {
        Parameters = parameters;
        _options = options;
        foreach (var parameter in parameters)
        {
            if (!_states.TryAdd(parameter.Name, new AdamWState(parameter.Value)))
            {
                Dispose();
                throw new ArgumentException($"Two parameters are called {parameter.Name}.", nameof(parameters));
            }
        }
    }

    /// <summary>The parameters, in the order given.</summary>
    public IReadOnlyList<NamedParameter> Parameters { get; }

    /// <summary>Steps taken; t of the bias corrections.</summary>
    public long StepCount { get; set; }

    /// <summary>Uses the torch operations even where the fused kernel gives the same bits; for tests and measurements.</summary>
    internal bool WithoutKernel { get; set; }

    /// <summary>
    /// Stands in for 1/√x of v̂ + ε, element by element: p ← p − lr·m̂·P(v̂ + ε) with v̂ = v/(1 − β₂ᵗ), as encrypted training computes it. Null:
    /// the exact root.
    /// </summary>
    /// <exception cref="InvalidOperationException">ε is not inside the root.</exception>
    public Func<Tensor, Tensor>? InverseRoot
    {
        get => _inverseRoot;
        set => _inverseRoot = value is null || _options.EpsInsideRoot ? value
            : throw new InvalidOperationException("A polynomial in place of the root needs ε inside of it: set eps_inside_root=true.");
    }

    /// <summary>Shown v̂ + ε of every parameter that a step updates, in a dispose scope of its own; null: nobody looks. Changes no bit.</summary>
    public Action<Tensor>? RootObserver { get; set; }

    /// <summary>All moments in canonical order, as <c>&lt;parameter&gt;.exp_avg</c> and <c>&lt;parameter&gt;.exp_avg_sq</c>; the tensors stay the optimiser's.</summary>
    public IEnumerable<(string Name, Tensor Value)> NamedState
    {
        get
        {
            foreach (var parameter in Parameters)
            {
                var state = _states[parameter.Name];
                yield return ($"{parameter.Name}.exp_avg", state.ExpAvg);
                yield return ($"{parameter.Name}.exp_avg_sq", state.ExpAvgSq);
            }
        }
    }

    /// <summary>Moments of a parameter.</summary>
    /// <exception cref="KeyNotFoundException">There is no parameter of that name.</exception>
    public AdamWState State(string name) => _states.TryGetValue(name, out var state)
        ? state
        : throw new KeyNotFoundException($"The optimiser has no parameter {name}.");

    /// <summary>
    /// One step on every parameter that has a gradient; the others stay as they are, moments too. After it the gradients are used up (they may
    /// or may not have been scaled): call <see cref="ZeroGrad"/> before the next backward.
    /// </summary>
    /// <param name="learningRate">Learning rate of this step.</param>
    /// <param name="clipFactor">Factor for the gradients, from <see cref="GradientNorm.ClipFactor"/>; nothing happens to them from 1 on.</param>
    /// <exception cref="ArgumentOutOfRangeException">The learning rate or the factor is negative or not finite.</exception>
    public void Step(double learningRate, double clipFactor = 1)
    {
        ThrowUnlessFinite(learningRate, nameof(learningRate));
        ThrowUnlessFinite(clipFactor, nameof(clipFactor));
        StepCount++;
        var scalars = new AdamWScalars(_options, learningRate, clipFactor, StepCount);
        using var noGrad = no_grad();
        foreach (var parameter in Parameters)
        {
            using var gradient = parameter.Value.grad;
            if (gradient is null)
            {
                continue;
            }

            var state = _states[parameter.Name];
            var decay = parameter.Decay ? scalars.Decay : 1;
            var plain = InverseRoot is not null || WithoutKernel || !AdamWKernel.IsExact;
            if (plain || !AdamWKernel.TryStep(parameter.Value, gradient, state, Scratch(), scalars, decay))
            {
                TorchStep(parameter.Value, gradient, state, scalars, decay, InverseRoot);
            }

            if (RootObserver is { } observer)
            {
                using var scope = NewDisposeScope();
                observer(RootInput(state.ExpAvgSq, scalars));
            }
        }
    }

    /// <summary>
    /// Takes the gradients away (null, not zero): the first backward after it then hands its result over without adding it to anything,
    /// which is cheaper, and the gradient's bits are those of that backward (0 + −0 would turn −0 into 0).
    /// </summary>
    public void ZeroGrad()
    {
        foreach (var parameter in Parameters)
        {
            using var gradient = parameter.Value.grad;
            if (gradient is not null)
            {
                parameter.Value.grad = null;
            }
        }
    }

    /// <summary>Overwrites the step count and all moments.</summary>
    /// <param name="stepCount">Steps taken.</param>
    /// <param name="state">Moments by the names of <see cref="NamedState"/>; copied.</param>
    /// <exception cref="ArgumentException">A moment is missing, unknown, or of another shape or type; nothing has been changed then.</exception>
    public void LoadState(long stepCount, IEnumerable<(string Name, Tensor Value)> state)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(stepCount);
        var mine = NamedState.ToDictionary(pair => pair.Name, pair => pair.Value);
        var pairs = new List<(Tensor To, Tensor From)>();
        foreach (var (name, value) in state)
        {
            if (!mine.Remove(name, out var to))
            {
                throw new ArgumentException($"The optimiser has no moment {name}, or it came twice.", nameof(state));
            }

            if (!to.shape.SequenceEqual(value.shape) || to.dtype != value.dtype)
            {
                throw new ArgumentException(
                    $"{name} must be {to.dtype} [{string.Join(", ", to.shape)}], not {value.dtype} [{string.Join(", ", value.shape)}].", nameof(state));
            }

            pairs.Add((to, value));
        }

        if (mine.Count > 0)
        {
            throw new ArgumentException($"{mine.Count} moments are missing, the first is {mine.Keys.First()}.", nameof(state));
        }

        using var noGrad = no_grad();
        foreach (var (to, from) in pairs)
        {
            to.copy_(from);
        }

        StepCount = stepCount;
    }

    /// <summary>Frees the moments; the parameters are not the optimiser's.</summary>
    public void Dispose()
    {
        foreach (var state in _states.Values)
        {
            state.Dispose();
        }

        _scratch?.Dispose();
    }

    private Tensor Scratch() => _scratch ??= empty(AdamWKernel.Block, ScalarType.Float32, CPU).DetachFromDisposeScope();

    /// <summary>The step of one parameter in torch operations: what runs on other devices and types, and what the kernel is measured by.</summary>
    internal static void TorchStep(Tensor p, Tensor g, AdamWState state, in AdamWScalars scalars, double decay, Func<Tensor, Tensor>? inverseRoot = null)
    {
        using var temporaries = NewDisposeScope();
        var options = scalars.Options;
        var (m, v) = (state.ExpAvg, state.ExpAvgSq);
        if (scalars.Clip < 1)
        {
            g.mul_(scalars.Clip);
        }

        if (decay != 1)
        {
            p.mul_(decay);
        }

        m.mul_(options.Beta1).add_(g, alpha: 1 - options.Beta1);
        v.mul_(options.Beta2).addcmul_(g, g, value: 1 - options.Beta2);
        if (inverseRoot is not null)
        {
            p.addcmul_(m, inverseRoot(RootInput(v, scalars)), value: scalars.Slope);
            return;
        }

        var denominator = options.EpsInsideRoot
            ? RootInput(v, scalars).sqrt_()
            : v.sqrt().div_(scalars.RootOfBiasCorrection2).add_(options.Eps);
        p.addcdiv_(m, denominator, value: scalars.Slope);
    }

    /// <summary>v̂ + ε.</summary>
    private static Tensor RootInput(Tensor v, in AdamWScalars scalars) => v.div(scalars.BiasCorrection2).add_(scalars.Options.Eps);

    private static void ThrowUnlessFinite(double value, string name)
    {
        if (!(value >= 0 && double.IsFinite(value)))
        {
            throw new ArgumentOutOfRangeException(name, value, "Must be finite and not negative.");
        }
    }
}
