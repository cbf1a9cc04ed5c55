using System.Collections.Concurrent;
using System.Globalization;
using System.Text;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Checkpoints;

namespace ActorTrainer.Tests.Actors;

/// <summary>
/// A stage computation on plain numbers: unit i multiplies by its weight, the loss is (output − target)²/2, backward is the
/// chain rule, the update is gradient descent. Small enough to be checked by hand and still sensitive to every mistake of
/// the pipeline: order, loss, repetition or mixing of micro-batches changes the weights.
/// </summary>
internal sealed class NumberStage(NumberWorld world, IObjectStore? store = null) : IStageComputation
{
    private readonly Dictionary<(int Chunk, int MicroBatch), (double[] Inputs, double Target)> _kept = [];
    private readonly Dictionary<int, double> _weights = [];
    private readonly Dictionary<int, double> _gradients = [];
    private readonly List<int[]> _chunks = [];
    private StageProtocol.Prepare? _plan;
    private StageProtocol.RunStep? _step;
    private double _loss;
    private double _tied;
    private EvaluationScore? _score;

    public long Progress => world.Progress;

    private bool HoldsHead => (_plan!.PartSizes.Count - 1) % _plan.Stages == _plan.Stage;

    public void Prepare(StageProtocol.Prepare plan)
    {
        world.At(plan.Stage, "Prepare", -1, 0);
        _plan = plan;
        _weights.Clear();
        _chunks.Clear();
        for (var part = plan.Stage; part < plan.PartSizes.Count; part += plan.Stages)
        {
            var units = Enumerable.Range(plan.PartSizes.Take(part).Sum(), plan.PartSizes[part]).ToArray();
            _chunks.Add(units);
            foreach (var unit in units)
            {
                _weights[unit] = plan.Objects.TryGetValue($"unit{unit}", out var hash) ? Load(hash) : 1 + 0.01 * unit;
            }
        }
    }

    public IReadOnlyCollection<string> Units => [.. _weights.Keys.Select(unit => $"unit{unit}")];

    public void Begin(StageProtocol.RunStep step)
    {
        _step = step;
        _kept.Clear();
        _gradients.Clear();
        _loss = HoldsHead ? 0 : double.NaN;
        _tied = 0;
        _score = step.Phase == Phase.Evaluate && HoldsHead ? new EvaluationScore(0, 0, 0) : null;
    }

    public IPayload? Forward(int chunk, int microBatch, IPayload input, IPayload? targets)
    {
        world.At(_plan!.Stage, "Forward", microBatch, _step!.Step);
        var value = ((NumberPayload)input).Values[0];
        var inputs = new List<double>();
        foreach (var unit in _chunks[chunk])
        {
            inputs.Add(value);
            value *= _weights[unit];
        }

        inputs.Add(value);
        var last = HoldsHead && chunk == _chunks.Count - 1;
        var target = targets is null ? 0 : ((NumberPayload)targets).Values[0];
        if (_step.Phase == Phase.Evaluate)
        {
            _score = last ? new EvaluationScore(_score!.LossSum + (value - target) * (value - target) / 2, 0, _score.Targets + 1) : _score;
            return last ? null : new NumberPayload(value);
        }

        _kept.Add((chunk, microBatch), ([.. inputs], target));
        if (!last)
        {
            return new NumberPayload(value);
        }

        _loss += _step.Scale * (value - target) * (value - target) / 2 * world.LossFactor(_step.Step);
        return null;
    }

    public IPayload? Backward(int chunk, int microBatch, IPayload? gradient)
    {
        world.At(_plan!.Stage, "Backward", microBatch, _step!.Step);
        _kept.Remove((chunk, microBatch), out var kept);
        var flow = gradient is null ? _step.Scale * (kept.Inputs[^1] - kept.Target) : ((NumberPayload)gradient).Values[0];
        for (var i = _chunks[chunk].Length - 1; i >= 0; i--)
        {
            var unit = _chunks[chunk][i];
            _gradients[unit] = _gradients.GetValueOrDefault(unit) + flow * kept.Inputs[i];
            flow *= _weights[unit];
        }

        if (gradient is null)
        {
            _tied += kept.Inputs[^1] * 1e-3;
        }

        return chunk == 0 && _plan.Stage == 0 ? null : new NumberPayload(flow);
    }

    public IPayload TiedGradient() => new NumberPayload(_tied);

    public void ReduceTied(IPayload? gradient) => _gradients[0] += ((NumberPayload)(gradient ?? TiedGradient())).Values[0];

    public IPayload TiedWeight() => new NumberPayload(_weights[0]);

    public void AcceptTiedWeight(IPayload weight) => world.TiedWeights.Add(((NumberPayload)weight).Values[0]);

    public StepGradients Gradients() => new(_gradients.ToDictionary(g => g.Key, g => new[] { g.Value * g.Value }), _loss, double.IsFinite(_loss) || !HoldsHead ? -1 : 0);

    public void Update(StageProtocol.Update update)
    {
        world.At(_plan!.Stage, "Update", -1, update.Step);
        foreach (var (unit, gradient) in update.Skip ? [] : _gradients)
        {
            _weights[unit] -= update.LearningRate * update.ClipFactor * gradient;
        }
    }

    public EvaluationScore? Score() => _score;

    public IReadOnlyList<LayerDigest> Digest() => [.. _weights.OrderBy(w => w.Key).Select(w => new LayerDigest($"unit{w.Key}", w.Value.ToString("R"), "", ""))];

    public IReadOnlyDictionary<string, string> Save()
    {
        world.At(_plan!.Stage, "Save", -1, _step!.Step);
        return _weights.ToDictionary(w => $"unit{w.Key}", w => Keep($"{w.Value:R}"));
    }

    private double Load(string hash) =>
        store is null ? world.Store[hash] : double.Parse(File.ReadAllText(store.Verified(hash)), CultureInfo.InvariantCulture);

    private string Keep(string number)
    {
        if (store is not null)
        {
            return store.Put(stream => stream.Write(Encoding.ASCII.GetBytes(number)));
        }

        world.Store[number] = double.Parse(number, CultureInfo.InvariantCulture);
        return number;
    }

    public void Dispose() => Interlocked.Increment(ref world.Disposed);
}

/// <summary>What the number stages of one test share: durable storage, and planned misfortune.</summary>
internal sealed class NumberWorld
{
    public int Disposed;

    public ConcurrentDictionary<string, double> Store { get; } = new();

    public ConcurrentBag<double> TiedWeights { get; } = [];

    public ConcurrentBag<(int Stage, string What, int MicroBatch, long Step)> Calls { get; } = [];

    /// <summary>Of instructions under way.</summary>
    public long Progress { get; set; }

    /// <summary>Called before every operation; may throw or block.</summary>
    public Action<int, string, int, long> Misfortune { get; set; } = (_, _, _, _) => { };

    /// <summary>Multiplies the loss of a step, to make it infinite.</summary>
    public Func<long, double> LossFactor { get; set; } = _ => 1;

    public void At(int stage, string what, int microBatch, long step)
    {
        Calls.Add((stage, what, microBatch, step));
        Misfortune(stage, what, microBatch, step);
    }
}
