using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Optimisation;
using TorchSharp;

namespace ActorTrainer.Tests.FineTuneRuns;

/// <summary>The same training without pipeline: one graph over all units, one loop.</summary>
internal sealed class PlainFineTuning : IDisposable
{
    private readonly RunOptions _options;
    private readonly List<ModelUnit> _units;
    private readonly List<AdamW> _optimisers;

    /// <param name="options">The run.</param>
    /// <param name="probe">Probe of a micro-batch of a step with the given loss scale.</param>
    public PlainFineTuning(RunOptions options, Func<long, double, IPenaltyProbe?>? probe = null)
    {
        _options = options;
        _units = [.. Enumerable.Range(0, UnitFactory.Count(options.Arch)).Select(i => UnitFactory.Create(options.Arch, i, options.Seed, fineTune: options.FineTune))];
        _optimisers = [.. _units.Select(unit => new AdamW(unit.Parameters, options.Train.Optim))];
        foreach (var unit in _units)
        {
            Visit(unit, (mine, pretrained) =>
            {
                using var noGrad = torch.no_grad();
                mine.detach().copy_(pretrained.detach());
                return true;
            });
        }

        Train(FineTuneRun.Batches(), probe);
    }

    /// <summary>Step → unit → digest.</summary>
    public SortedDictionary<long, IReadOnlyList<string>> Digests { get; } = [];

    /// <summary>Whether no frozen tensor has changed.</summary>
    public bool BaseIsUnchanged => _units.All(unit => Visit(unit, (mine, pretrained) => mine.requires_grad || mine.bytes.SequenceEqual(pretrained.bytes)));

    /// <summary>Outputs of all held-out rows.</summary>
    public float[] Outputs()
    {
        var batches = FineTuneRun.Batches();
        var outputs = new List<float>();
        var first = 0;
        using var noGrad = torch.no_grad();
        foreach (var rows in MicroBatches.Split((int)batches.HeldOutSequences, _options.Impl.MicroBatchSize))
        {
            using var scope = torch.NewDisposeScope();
            var (inputs, targets) = Tensors(batches.TakeHeldOut(first, rows));
            var context = new ForwardContext(_options.Seed, FineTuneRun.Steps, 0, Training: false);
            outputs.AddRange(Head.Evaluate(Hidden(inputs, context), targets, context).Outputs);
            first += rows;
        }

        return [.. outputs];
    }

    public void Dispose()
    {
        _optimisers.ForEach(optimiser => optimiser.Dispose());
        _units.ForEach(unit => unit.Dispose());
    }

    private HeadUnit Head => (HeadUnit)_units[^1];

    private void Train(GlueBatchSource batches, Func<long, double, IPenaltyProbe?>? probe)
    {
        var at = RunPosition.Start;
        while (StepPlan.Next(_options.Train, _options.Impl.MicroBatchSize, batches.TokensPerSequence, at) is { } plan)
        {
            var (step, first, scale) = (at.Step + 1, at.Sequences, 1.0 / plan.Sequences);
            for (var i = 0; i < plan.Rows.Count; i++)
            {
                using var scope = torch.NewDisposeScope();
                var (inputs, targets) = Tensors(batches.Take(first, plan.Rows[i], step));
                var penalties = probe?.Invoke(step, scale);
                var context = new ForwardContext(_options.Seed, step, i, Training: true, penalties);
                var loss = Head.Loss(Hidden(inputs, context), targets, scale, context);
                (penalties?.Take() is { } penalty ? loss + penalty : loss).backward();
                first += plan.Rows[i];
            }

            var norm = GradientNorm.Total(_units.SelectMany(unit => unit.Parameters).Select(GradientNorm.Squared));
            foreach (var optimiser in _optimisers)
            {
                optimiser.Step(plan.LearningRate, GradientNorm.ClipFactor(norm, _options.Train.Clip));
                optimiser.ZeroGrad();
            }

            Digests[step] = [.. _units.Zip(_optimisers, (unit, optimiser) =>
            {
                var digest = StateDigest.Of(unit.Parameters, optimiser, []);
                return $"{unit.Name} {digest.Weights} {digest.Optimiser}";
            })];
            at = new RunPosition(step, first, 0, 0);
        }
    }

    private torch.Tensor Hidden(torch.Tensor[] inputs, ForwardContext context)
    {
        var hidden = ((EmbeddingUnit)_units[0]).Forward(inputs[0], context);
        foreach (var layer in _units.OfType<EncoderLayerUnit>())
        {
            hidden = layer.Forward(hidden, inputs[1], context);
        }

        return hidden;
    }

    private static (torch.Tensor[] Inputs, torch.Tensor[] Targets) Tensors((IPayload Inputs, IPayload Targets) batch) =>
        ([.. ((TensorPayload)batch.Inputs).Tensors], [.. ((TensorPayload)batch.Targets).Tensors]);

    private static bool Visit(ModelUnit unit, Func<torch.Tensor, torch.Tensor, bool> visit)
    {
        using var pretrained = UnitFactory.Create(FineTuneRun.Arch, unit.Index, FineTuneRun.BaseSeed);
        var mine = unit.Parameters.Concat(unit.Frozen).ToDictionary(p => p.Name, p => p.Value);
        return pretrained.Parameters.All(parameter => visit(mine[parameter.Name], parameter.Value));
    }
}
