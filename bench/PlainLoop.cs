using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Optimisation;
using TorchSharp.Modules;
using static TorchSharp.torch;
using AdamW = TorchSharp.Modules.AdamW;

namespace ActorTrainer.Bench;

/// <summary>
/// The plainest training loop of the same model on the same batches: one process, one thread of control, TorchSharp's own AdamW with
/// gradients accumulated over micro-batches. The pipeline is compared with it, in bits and in speed.
/// </summary>
public sealed class PlainLoop : IDisposable
{
    private readonly Workload _work;
    private readonly IBatchSource _batches;
    private readonly List<(NamedParameter Parameter, Parameter Shared)> _parameters;
    private readonly AdamW _optimiser;
    private long _step;
    private long _sequences;

    /// <summary>Builds the model with its initial weights.</summary>
    /// <param name="threads">Intra-op threads.</param>
    public PlainLoop(Workload work, int threads)
    {
        set_num_threads(threads);
        _work = work;
        _batches = work.Batches();
        Model = new BertForMlm(work.Arch, work.Seed);

        // TorchSharp's optimisers want its Parameter type: these are others over the same memory, given the gradients before each step.
        _parameters = [.. Model.Parameters.Select(p => (p, new Parameter(p.Value.detach().DetachFromDisposeScope())))];
        _optimiser = Optimiser(work.Train.Optim);
    }

    /// <summary>The model being trained.</summary>
    public BertForMlm Model { get; }

    /// <summary>One optimiser step.</summary>
    /// <returns>Mean loss of its masked tokens, nats.</returns>
    public double Step()
    {
        _step++;
        var train = _work.Train;
        var fraction = Budget.Fraction(train, _step - 1, _sequences * _batches.TokensPerSequence, 0);
        var rows = MicroBatches.Split(BatchRamp.SequencesAt(train, _work.MicroBatch, fraction), _work.MicroBatch);
        var scale = 1.0 / ((double)rows.Sum() * _batches.TargetsPerSequence);
        var loss = 0.0;
        for (var i = 0; i < rows.Count; i++)
        {
            loss += ForwardBackward(i, rows[i], scale);
            _sequences += rows[i];
        }

        Update(LearningRate.At(train, fraction), train.Clip);
        return loss;
    }

    /// <summary>Unit name → SHA-256 of its weights, comparable with the pipeline's digests.</summary>
    public IReadOnlyDictionary<string, string> WeightDigests() => Model.Units.ToDictionary(unit => unit.Name, unit =>
    {
        using var none = new ActorTrainer.Model.Optimisation.AdamW(unit.Parameters, _work.Train.Optim);
        return StateDigest.Of(unit.Parameters, none, []).Weights;
    });

    /// <inheritdoc/>
    public void Dispose()
    {
        _optimiser.Dispose();
        _parameters.ForEach(p => p.Shared.Dispose());
        Model.Dispose();
    }

    private double ForwardBackward(int microBatch, int rows, double scale)
    {
        var (inputs, targets) = _batches.Take(_sequences, rows, _step);
        using (inputs)
        using (targets)
        using (NewDisposeScope())
        {
            var context = new ForwardContext(_work.Seed, _step, microBatch, Training: true);
            var target = ((TensorPayload)targets).Tensors;
            var loss = Model.Loss(((TensorPayload)inputs).Tensors[0], target[0], target[1], scale, context);
            loss.backward();
            return loss.item<float>();
        }
    }

    private void Update(double learningRate, double clip)
    {
        using var scope = NewDisposeScope();
        using var noGrad = no_grad();
        Model.ReduceTiedGradients();
        var factor = GradientNorm.ClipFactor(GradientNorm.Total(Model.Parameters.Select(GradientNorm.Squared)), clip);
        foreach (var (parameter, shared) in _parameters)
        {
            var gradient = parameter.Value.grad!;
            if (factor < 1)
            {
                gradient.mul_(factor);
            }

            shared.grad = gradient;
        }

        foreach (var group in _optimiser.ParamGroups)
        {
            group.LearningRate = learningRate;
        }

        _optimiser.step();
        foreach (var (parameter, shared) in _parameters)
        {
            shared.grad = null;
            parameter.Value.grad = null;
        }

        Model.Head.Decoder.grad = null;
    }

    private AdamW Optimiser(AdamWOptions options)
    {
        var groups = new[] { true, false }.Select(decay => new AdamW.ParamGroup(
            _parameters.Where(p => p.Parameter.Decay == decay).Select(p => p.Shared),
            options.LearningRate, options.Beta1, options.Beta2, options.Eps, decay ? options.WeightDecay : 0));
        return optim.AdamW([.. groups], options.LearningRate, options.Beta1, options.Beta2, options.Eps);
    }
}
