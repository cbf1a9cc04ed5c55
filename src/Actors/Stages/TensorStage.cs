using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
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
    private TensorStageRecipe? _recipe;
    private StageUnits? _units;
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
        set_num_threads(_recipe.Threads);
        _units = StageUnits.Build(plan, _recipe, store, Device);
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
        _score = step.Phase == Phase.Evaluate && Built.Head is not null ? new EvaluationScore(0, 0, 0, []) : null;
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
            item.Output = Run(chunk, microBatch, item);
        }

        using var scope = NewDisposeScope();
        var probe = item.Output.detach().sum().item<float>();
        if (!float.IsFinite(probe) && _nonFinite < 0)
        {
            _nonFinite = microBatch;
        }

        if (Built.IsLast(chunk))
        {
            _loss += probe;
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
                item.Output!.Dispose();
                item.Output = Run(chunk, microBatch, item);
            }

            // A part of frozen units alone at the front has nothing to learn and nobody to tell.
            if (item.Output!.requires_grad)
            {
                if (gradient is null)
                {
                    item.Output.backward();
                }
                else
                {
                    item.Output.backward([((TensorPayload)gradient).Tensors[0].to(Device)]);
                }
            }

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
            foreach (var (_, optimiser) in Built.All)
            {
                optimiser.Step(update.LearningRate, update.ClipFactor);
            }
        }

        Built.ClearGradients();
    }

    /// <inheritdoc/>
    public EvaluationScore? Score() => _score;

    /// <inheritdoc/>
    public IReadOnlyList<LayerDigest> Digest() => [.. Built.All.Select(u => Built.Digest(u.Unit, u.Optimiser))];

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, string> Save() => Built.Save(store);

    /// <inheritdoc/>
    public void Dispose() => Release();

    private IPayload? Evaluate(int chunk, int microBatch, InFlight item)
    {
        using (item)
        using (no_grad())
        using (NewDisposeScope())
        {
            var hidden = Built.Run(chunk, item.Input, item.Mask, Context(microBatch));
            if (!Built.IsLast(chunk))
            {
                return Activation(hidden, item);
            }

            var score = Built.Head!.Evaluate(hidden, item.Targets, Context(microBatch));
            _score = new EvaluationScore(
                _score!.LossSum + score.LossSum, _score.Correct + score.Correct, _score.Targets + score.Targets, [.. _score.Outputs!, .. score.Outputs]);
            return null;
        }
    }

    /// <summary>The part's output, or the scaled loss on the last part; outside of any dispose scope.</summary>
    private Tensor Run(int chunk, int microBatch, InFlight item)
    {
        using var scope = NewDisposeScope();
        var hidden = Built.Run(chunk, item.Input, item.Mask, Context(microBatch));
        var output = Built.IsLast(chunk) ? Built.Head!.Loss(hidden, item.Targets, _step.Scale, Context(microBatch)) : hidden;
        return output.DetachFromDisposeScope();
    }

    /// <summary>What goes on to the next part: the hidden state, and the mask when there is one.</summary>
    private static TensorPayload Activation(Tensor hidden, InFlight item) => item.Mask is { } mask
        ? new TensorPayload(hidden.DetachFromDisposeScope(), mask.alias().DetachFromDisposeScope())
        : new TensorPayload(hidden.DetachFromDisposeScope());

    private ForwardContext Context(int microBatch) => new(_recipe!.Seed, _step.Step, microBatch, Training: _step.Phase == Phase.Train);

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
        public Tensor Input => inputs[0];

        public Tensor? Output { get; set; }

        /// <summary>[B, S], 1 at tokens and 0 at padding; null when the batch has no padding.</summary>
        public Tensor? Mask => inputs.Length > 1 ? inputs[1] : null;

        public IReadOnlyList<Tensor> Targets => targets ?? [];

        public void Dispose()
        {
            Input.grad?.Dispose();
            Output?.Dispose();
            foreach (var tensor in inputs.Concat(targets ?? []))
            {
                tensor.Dispose();
            }
        }
    }
}
