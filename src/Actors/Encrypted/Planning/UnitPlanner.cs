using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;

namespace ActorTrainer.Actors.Encrypted.Planning;

/// <summary>Runs one unit on paper: two micro-batches, since the first has no gradients to add to, and an update.</summary>
internal sealed class UnitPlanner : IDisposable
{
    /// <summary>Seconds that a GiB of keys is worth: operations further up need keys over more primes, and memory is what nodes have least of.</summary>
    private const double PerGiB = 8;

    /// <summary>Operations of a unit up to which bootstraps are placed site by site: it is run on paper several hundred times then, and a few times otherwise.</summary>
    private const long MostOperations = 50_000;

    private readonly PlanBackend _backend;
    private readonly Evaluator _evaluator;
    private readonly PaperRefresher _paper;
    private readonly LevelProbe _probe;
    private readonly TensorMath _math;
    private readonly EncryptedUnit _unit;
    private readonly UnitBoundary _at;
    private readonly Packing _packing;
    private readonly int _outputs;
    private readonly List<PlannedBlock> _blocks = [];
    private (Func<int> Inputs, Func<int> Masks, Func<int> Targets) _wanted = (() => 0, () => 0, () => 0);
    private long _start;
    private (long Tape, long Work, int Output, int Gradient) _found = (0, 0, -1, -1);

    private UnitPlanner(CkksParameters parameters, EncryptedUnit unit, Packing packing, int outputs, UnitBoundary at, OperationCosts? costs, Refreshing refreshing, bool counts = true)
    {
        (_backend, _unit, _at, _packing, _outputs) = (new PlanBackend(parameters), unit, at, packing, outputs);
        _evaluator = new Evaluator(_backend);
        _paper = new PaperRefresher(counts ? refreshing.Of(_evaluator, refreshing.InTheClear(_backend)) : refreshing.InTheClear(_backend), _evaluator.Ledger, unit.Name, costs, refreshing.Iterations);
        _probe = new LevelProbe(_paper);
        _math = new TensorMath(_evaluator, _probe, packing);
    }

    /// <summary>What the unit takes, and to which levels what the owner encrypts would have to be lifted beyond those of <paramref name="at"/>.</summary>
    public static (PlannedUnit Plan, EncryptionLevels Wanted) Run(CkksParameters parameters, EncryptedUnit unit, Packing packing, int outputs, UnitBoundary at, OperationCosts? costs, Refreshing refreshing)
    {
        using var planner = new UnitPlanner(parameters, unit, packing, outputs, at, costs, refreshing);
        return planner.Run();
    }

    /// <summary>Levels to reach by site, for a run that bootstraps: those that take the least nominal time of one micro-batch and an update.</summary>
    public static IReadOnlyDictionary<string, int> Place(CkksParameters parameters, EncryptedUnit unit, Packing packing, int outputs, UnitBoundary at, Refreshing refreshing)
    {
        var costs = NominalCosts.Of(parameters);
        var (lifts, bootstrapping) = (refreshing.SecondsOf(costs), refreshing.Requests());
        var (sites, _, operations) = OnPaper(new Dictionary<string, int>());
        return RefreshPlacement.Find(
            sites,
            refreshing.HighestReach,
            reach =>
            {
                try
                {
                    return OnPaper(reach).Seconds;
                }
                catch (MisuseException)
                {
                    return double.PositiveInfinity;
                }
            },
            descend: operations <= MostOperations);

        (IReadOnlyList<string> Places, double Seconds, long Operations) OnPaper(IReadOnlyDictionary<string, int> reach)
        {
            using var planner = new UnitPlanner(parameters, unit, packing, outputs, at, null, refreshing.With(site => reach.GetValueOrDefault(site)), counts: false);
            var (plan, _) = planner.Run();
            var seconds = plan.Blocks.Where(block => block.Pass != PlanPass.Sum)
                .Sum(block => block.Seconds(costs, held: 1) + block.BootstrapSeconds(lifts));
            var operations = plan.Blocks.Sum(block => block.Operations);
            return (planner._paper.Places, seconds + (PerGiB * KeyRequest.Union([.. bootstrapping, .. plan.Keys]).Sum(key => (double)Planner.KeyBytes(parameters, key)) / (1 << 30)), operations);
        }
    }

    /// <summary>Drops what the unit holds on paper.</summary>
    public void Dispose() => _unit.Dispose();

    private (PlannedUnit Plan, EncryptionLevels Wanted) Run()
    {
        _unit.Load(0, [.. Enumerable.Range(0, _unit.Layout.Packs).Select(_ => new AdamWPack(State(), State(), State()))]);
        _unit.Begin();
        MicroBatch(first: true);
        var moments = _paper.Moments.ToArray();
        MicroBatch(first: false);
        _paper.Moments.Clear();
        var kept = _backend.Limbs;
        _backend.ForgetPeak();
        _paper.Begin(PlanPass.Step);
        _unit.Update(_math, 1);
        _blocks.AddRange(_paper.End());
        var (weights, masks) = _backend.DiagonalLimbs;
        return (new PlannedUnit
        {
            Name = _unit.Name,
            Blocks = Joined(),
            Keys = [.. _evaluator.Ledger.Keys],
            Moments = [.. moments, .. _paper.Moments],
            Sites = [.. _paper.Sites],
            Reach = _paper.Places.Select(site => (Site: site, Levels: _paper.Reach(site))).Where(entry => entry.Levels > 0).ToDictionary(entry => entry.Site, entry => entry.Levels),
            Ranges = [.. _unit.Ranges.Where(range => _paper.Sites.Contains(range.Site))],
            KeptLimbs = kept,
            TapeLimbs = _found.Tape,
            WorkLimbs = Math.Max(_found.Work, _backend.PeakLimbs - kept),
            WeightDiagonalLimbs = weights,
            MaskDiagonalLimbs = masks,
            Output = _found.Output,
            Gradient = _found.Gradient,
        }, new EncryptionLevels(_wanted.Inputs(), _wanted.Masks(), _wanted.Targets()));
    }

    private Ciphertext State() => _backend.Encrypt(_paper.Floor + EncryptedUnit.StateLevel);

    private void MicroBatch(bool first)
    {
        var start = _backend.Limbs;
        _backend.ForgetPeak();
        var (x, masks) = (new Activation(_packing.Hidden, Made(_packing.Hidden.Ciphertexts, _at.Input)), Made(SlotMaps.ShiftGroups(_packing), _at.Masks));
        var targets = Made(_unit is EncryptedHeadUnit ? _outputs : 0, _at.Targets);
        if (first)
        {
            _wanted = (_probe.Watch(x.Parts), _probe.Watch(masks), _probe.Watch(targets));
        }

        _paper.Begin(PlanPass.Forward);
        if (_unit is EncryptedHeadUnit head)
        {
            var (outputs, tape) = head.Forward(_math, x);
            Between(start, first, LevelOf(outputs), 0, [.. x.Parts, .. masks]);
            using var gradient = head.Backward(_math, tape, outputs, targets, 1);
            After(first, LevelOf(gradient.Parts), [.. outputs, .. targets], tape);
        }
        else
        {
            var layer = (EncryptedLayerUnit)_unit;
            var (output, tape) = layer.Forward(_math, x, masks);
            var passedOn = output.Parts.Sum(part => 2L * (part.Level + 1));
            Between(start, first, LevelOf(output.Parts), passedOn, [.. x.Parts, .. masks]);
            output.Dispose();
            using var above = new Activation(_packing.Hidden, Made(_packing.Hidden.Ciphertexts, _at.Gradient));
            using var gradient = layer.Backward(_math, tape, above, _at.WantsInput);
            After(first, gradient is null ? -1 : LevelOf(gradient.Parts), [], tape);
        }
    }

    /// <summary>Ends the forward pass, after which inputs are not needed, and begins the backward pass.</summary>
    private void Between(long start, bool first, int output, long passedOn, Ciphertext[] inputs)
    {
        Array.ForEach(inputs, input => input.Dispose());
        if (first)
        {
            _blocks.AddRange(_paper.End());
        }
        else
        {
            // Weights are spread by the first micro-batch, so that all that is new now is kept for backward, or passed on.
            var tape = _backend.Limbs - start - passedOn;
            _found = (tape, Math.Max(0, _backend.PeakLimbs - start - tape), output, -1);
        }

        _start = _backend.Limbs;
        _backend.ForgetPeak();
        _paper.Begin(PlanPass.Backward);
    }

    private void After(bool first, int gradient, Ciphertext[] held, IDisposable tape)
    {
        var blocks = _paper.End();
        if (first)
        {
            _blocks.AddRange(blocks);
        }
        else
        {
            _found = (_found.Tape, Math.Max(_found.Work, _backend.PeakLimbs - _start), _found.Output, gradient);
            _blocks.AddRange(Sums(blocks));
        }

        Array.ForEach(held, ciphertext => ciphertext.Dispose());
        tape.Dispose();
    }

    /// <summary>What the second backward did beyond the first.</summary>
    private IEnumerable<PlannedBlock> Sums(IReadOnlyList<PlannedBlock> second) => second.Select(block =>
    {
        var before = _blocks.Where(b => b.Name == block.Name && b.Pass == block.Pass).SelectMany(b => b.Counts).ToDictionary();
        var more = block.Counts.Select(entry => (entry.Key, Value: entry.Value - before.GetValueOrDefault(entry.Key))).Where(entry => entry.Value > 0).ToDictionary(entry => entry.Key, entry => entry.Value);
        return block with { Pass = PlanPass.Sum, Counts = more, Lifts = new Dictionary<PlannedLift, long>() };
    }).Where(block => block.Counts.Count > 0);

    /// <summary>One block for each name and pass: the optimiser's spread weights and its update become one.</summary>
    private IReadOnlyList<PlannedBlock> Joined() =>
    [
        .. _blocks.GroupBy(block => (block.Pass, block.Name)).OrderBy(group => group.Key.Pass).ThenBy(group => Place(group.Key.Name)).Select(group => new PlannedBlock
        {
            Name = group.Key.Name,
            Pass = group.Key.Pass,
            Counts = Added(group.SelectMany(block => block.Counts)),
            Lifts = Added(group.SelectMany(block => block.Lifts)),
        }),
    ];

    private static int Place(string block) => PlanBlocks.Order.Index().First(entry => entry.Item == block).Index;

    private static Dictionary<TKey, long> Added<TKey>(IEnumerable<KeyValuePair<TKey, long>> counts)
        where TKey : notnull => counts.GroupBy(entry => entry.Key).ToDictionary(group => group.Key, group => group.Sum(entry => entry.Value));

    private Ciphertext[] Made(int count, int level) => [.. Enumerable.Range(0, count).Select(_ => _backend.Encrypt(level))];

    /// <summary>What is passed on is at one level and its canonical scale, so that a level says all of it.</summary>
    private int LevelOf(IReadOnlyList<Ciphertext> parts)
    {
        var level = parts[0].Level;
        return parts.All(part => part.Level == level && part.Scale.Matches(_backend.Parameters.ScaleAt(level)))
            ? level
            : throw new InvalidOperationException($"{_unit.Name} passes ciphertexts of several levels or scales on: {string.Join(", ", parts)}.");
    }
}
