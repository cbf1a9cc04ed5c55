using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using static TorchSharp.torch;

namespace ActorTrainer.Actors.Stages;

/// <summary>
/// The plaintext computation of a stage: runs of BERT units under autograd. The activation that arrives becomes a leaf, so
/// that its gradient can be sent back; micro-batches are held apart by (chunk, micro-batch) until their backward.
/// </summary>
/// <param name="store">Content-addressed files of unit states.</param>
public sealed class TensorStage(IObjectStore store) : IStageComputation
{
    private readonly Dictionary<(int Chunk, int MicroBatch), InFlight> _inFlight = [];
    private readonly List<float> _outputs = [];
    private TensorStageRecipe? _recipe;
    private StageUnits? _units;
    private StageRanges? _ranges;
    private StageProtocol.RunStep _step = new("", 0, 0, Phase.Train, 0, 0, false, false);
    private double _loss;
    private int _nonFinite;
    private EvaluationScore? _score;

    private StageUnits Built => _units ?? throw new InvalidOperationException("The stage was not prepared.");

    private Device Device => _recipe!.Cuda ? CUDA : CPU;

    /// <inheritdoc/>
    public void Prepare(StageProtocol.Prepare plan)
    {
        Release();
        _recipe = TensorStageRecipe.Parse(plan.Recipe);
        TorchThreads.Use(_recipe.Threads);
        _ranges = new StageRanges(_recipe);
        _units = StageUnits.Build(plan, _recipe, store, Device, _ranges);
    }

    /// <inheritdoc/>
    public IReadOnlyCollection<string> Units => [.. Built.All.Select(u => u.Unit.Name)];

    /// <inheritdoc/>
    public void Begin(StageProtocol.RunStep step)
    {
        DropInFlight();
        Built.ClearGradients();
        _step = step;
        _nonFinite = -1;
        _loss = Built.Head is null ? double.NaN : 0;
        _outputs.Clear();
        _score = step.Phase == Phase.Evaluate && Built.Head is not null ? new EvaluationScore(0, 0, 0) : null;
    }

    /// <inheritdoc/>
    public IPayload? Forward(int chunk, int microBatch, IPayload input, IPayload? targets)
    {
        var item = new InFlight(OnDevice(input), targets is null ? null : OnDevice(targets));
        if (_step.Phase == Phase.Evaluate)
        {
            return Evaluate(chunk, microBatch, item);
        }

        _inFlight.Add((chunk, microBatch), item);
        if (chunk > 0 || !Built.HoldsEmbedding)
        {
            item.Input.requires_grad_(true);
        }

        using (var mode = set_grad_enabled(!_recipe!.Recompute))
        {
            Run(chunk, microBatch, item, again: false);
        }

        using var scope = NewDisposeScope();
        var sum = item.Output!.detach().sum().item<float>();
        if (!float.IsFinite(sum) && _nonFinite < 0)
        {
            _nonFinite = microBatch;
        }

        if (Built.IsLast(chunk))
        {
            _loss += sum;
            return null;
        }

        return Activation(item.Output.detach(), item);
    }

    /// <inheritdoc/>
    public IPayload? Backward(int chunk, int microBatch, IPayload? gradient)
    {
        if (!_inFlight.Remove((chunk, microBatch), out var item))
        {
            throw new InvalidOperationException($"Backward of micro-batch {microBatch} on part {chunk} without its forward.");
        }

        using (item)
        using (gradient)
        using (var scope = NewDisposeScope())
        {
            if (_recipe!.Recompute)
            {
                Run(chunk, microBatch, item, again: true);
            }

            Differentiate(item, (TensorPayload?)gradient);
            return item.Input.requires_grad ? new TensorPayload(item.Input.grad!.DetachFromDisposeScope()) : null;
        }
    }

    /// <inheritdoc/>
    public IPayload TiedGradient()
    {
        var decoder = Built.TiedHead!.Decoder;
        using var gradient = decoder.grad ?? zeros_like(decoder);
        decoder.grad = null;
        return new TensorPayload(gradient.alias().DetachFromDisposeScope());
    }

    /// <inheritdoc/>
    public void ReduceTied(IPayload? gradient)
    {
        using var scope = NewDisposeScope();
        using var owned = gradient ?? TiedGradient();
        TiedTable.AddGradient(Built.Embedding!.Table, ((TensorPayload)owned).Tensors[0].to(Device));
    }

    /// <inheritdoc/>
    public IPayload TiedWeight()
    {
        // Not a copy: the update that would overwrite it waits for the gradients of the stage that takes it over first.
        return new TensorPayload(Built.Embedding!.Table.detach().DetachFromDisposeScope());
    }

    /// <inheritdoc/>
    public void AcceptTiedWeight(IPayload weight)
    {
        using var owned = weight;
        using var noGrad = no_grad();
        using var scope = NewDisposeScope();
        Built.TiedHead!.Decoder.copy_(((TensorPayload)owned).Tensors[0]);
    }

    /// <inheritdoc/>
    public StepGradients Gradients() => new(
        Built.All.ToDictionary(u => u.Unit.Index, u => u.Unit.Parameters.Select(GradientNorm.Squared).ToArray()), _loss, _nonFinite);

    /// <inheritdoc/>
    public void Update(StageProtocol.Update update)
    {
        if (!update.Skip)
        {
            foreach (var (unit, optimiser) in Built.All)
            {
                _ranges!.Attach(unit.Name, optimiser, _step);
                optimiser.Step(update.LearningRate, update.ClipFactor);
            }
        }

        Built.ClearGradients();
    }

    /// <inheritdoc/>
    public EvaluationScore? Score() => _score is null ? null : _score with { Outputs = [.. _outputs] };

    /// <inheritdoc/>
    public IReadOnlyList<LayerDigest> Digest() => [.. Built.All.Select(u => Built.Digest(u.Unit, u.Optimiser))];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Save() => Built.Save(store, _ranges!);

    /// <inheritdoc/>
    public void Dispose() => Release();

    private IPayload? Evaluate(int chunk, int microBatch, InFlight item)
    {
        using (item)
        using (no_grad())
        using (NewDisposeScope())
        {
            var context = Context(microBatch, _ranges!.Probe(_step, again: false));
            var hidden = Built.Run(chunk, item.Inputs, context);
            if (!Built.IsLast(chunk))
            {
                return Activation(hidden, item);
            }

            var score = Built.Head!.Evaluate(hidden, item.Targets, context);
            _score = new EvaluationScore(_score!.LossSum + score.LossSum, _score.Correct + score.Correct, _score.Targets + score.Targets);
            _outputs.AddRange(score.Outputs);
            return null;
        }
    }

    /// <summary>Computes the part's output, or the scaled loss on the last part, and the penalty; both outside of any dispose scope.</summary>
    /// <param name="again">True: the second time with <see cref="TensorStageRecipe.Recompute"/>.</param>
    private void Run(int chunk, int microBatch, InFlight item, bool again)
    {
        using var scope = NewDisposeScope();

        var context = Context(microBatch, _ranges!.Probe(_step, again));
        var hidden = Built.Run(chunk, item.Inputs, context);
        item.Output?.Dispose();
        item.Output = (Built.IsLast(chunk) ? Built.Head!.Loss(hidden, item.Targets, _step.Scale, context) : hidden).DetachFromDisposeScope();
        item.Penalty = (context.Probe as IPenaltyProbe)?.Take()?.DetachFromDisposeScope();
    }

    private ForwardContext Context(int microBatch, IInputProbe? probe) =>
        new(_recipe!.Seed, _step.Step, microBatch, Training: _step.Phase == Phase.Train, probe, _ranges!.Functions);

    /// <summary>Gradients of output and penalty in one pass. Where all is frozen there are none.</summary>
    private void Differentiate(InFlight item, TensorPayload? gradient)
    {
        List<Tensor> roots = [], gradients = [];
        if (item.Output!.requires_grad)
        {
            roots.Add(item.Output);
            gradients.Add(gradient is null ? ones_like(item.Output) : gradient.Tensors[0].to(Device));
        }

        if (item.Penalty is { requires_grad: true } penalty)
        {
            roots.Add(penalty);
            gradients.Add(ones_like(penalty));
        }

        if (roots.Count > 0)
        {
            autograd.backward(roots, gradients);
        }
    }

    /// <summary>What the next part gets: the output, and the mask where there is one. The mask stays this stage's too.</summary>
    private static TensorPayload Activation(Tensor output, InFlight item) => new(
        [output.DetachFromDisposeScope(), .. item.Inputs.Skip(1).Select(mask => mask.alias().DetachFromDisposeScope())]);

    /// <summary>The payload's tensors on this stage's device; takes over the payload.</summary>
    private Tensor[] OnDevice(IPayload payload)
    {
        var tensors = ((TensorPayload)payload).Tensors;
        if (!_recipe!.Cuda)
        {
            return [.. tensors];
        }

        using (payload)
        {
            return [.. tensors.Select(t => t.to(Device).alias().DetachFromDisposeScope())];
        }
    }

    private void DropInFlight()
    {
        foreach (var item in _inFlight.Values)
        {
            item.Dispose();
        }

        _inFlight.Clear();
    }

    private void Release()
    {
        DropInFlight();
        _units?.Dispose();
        _units = null;
    }

    /// <summary>One micro-batch between its forward and its backward.</summary>
    private sealed class InFlight(Tensor[] inputs, Tensor[]? targets) : IDisposable
    {
        public IReadOnlyList<Tensor> Inputs => inputs;

        public Tensor Input => inputs[0];

        public IReadOnlyList<Tensor> Targets => targets!;

        public Tensor? Output { get; set; }

        /// <summary>Scalar to be added to the loss.</summary>
        public Tensor? Penalty { get; set; }

        public void Dispose()
        {
            Input.grad?.Dispose();
            Output?.Dispose();
            Penalty?.Dispose();
            foreach (var tensor in inputs.Concat(targets ?? []))
            {
                tensor.Dispose();
            }
        }
    }
}
