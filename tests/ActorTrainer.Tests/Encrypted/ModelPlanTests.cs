using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Encrypted.Planning;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.He.Backends;
using ActorTrainer.He.Layers;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Planning;
using ActorTrainer.He.Refresh;
using ActorTrainer.He.Scheme;
using ActorTrainer.He.Tensors;
using ActorTrainer.He.Training;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Stages;
using Xunit;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>Plans unit by unit against plans of the whole model, and what follows from them for stages and steps.</summary>
public sealed class ModelPlanTests
{
    private const ScheduleKind Schedule = ScheduleKind.OneForwardOneBackward;

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(2, 2, 1)]
    [InlineData(3, 2, 3)]
    public void Units_planned_apart_take_together_what_the_whole_model_takes(int layers, int outputs, int microBatches)
    {
        using var task = new MadeTask(layers, outputs);
        using var program = new MadeProgram(task);

        var (whole, plan) = (program.Whole(microBatches), program.Units());

        Assert.Equal(whole.Levels, plan.Levels);
        Assert.Equal(whole.Step.Counts.OrderBy(entry => entry.Key), plan.Counts(microBatches).OrderBy(entry => entry.Key));
        Assert.Equal(whole.Step.Keys.OrderBy(key => key.Element), plan.Keys);
        Assert.Equal(whole.Refreshes.Values.Sum(), plan.Refreshes(microBatches));
        Assert.Equal(whole.Sites, plan.Units.SelectMany(unit => unit.Sites).Append(EncryptedStage.OutputSite("head")).ToHashSet());
        Assert.Equal(whole.Ranges.Select(range => range.Site), plan.Units.SelectMany(unit => unit.Ranges).Select(range => range.Site));
        Assert.Equal(whole.Step.KeyBytes, plan.Keys.Sum(key => Planner.KeyBytes(plan.Parameters, key)));
        Assert.Equal(whole.Step.Seconds!.Value, plan.Units.Sum(unit => unit.StepSeconds(MadeProgram.Costs, 0, microBatches)), 1e-6);
    }

    [Fact]
    public void A_step_on_ciphertexts_does_exactly_what_was_planned_with_exactly_the_planned_keys()
    {
        const int microBatches = 2;
        using var task = new MadeTask(layers: 2, outputs: 2);
        using var program = new MadeProgram(task);
        var plan = program.Units();
        using var context = new CkksContext(plan.Parameters);
        using var generator = new KeyGenerator(context, allowInsecure: true);
        using var secret = generator.NewSecretKey();
        using var keys = generator.NewEvaluationKeys(secret, plan.Keys);
        using var encryptor = new Encryptor(context);
        var evaluator = new Evaluator(new CkksBackend(context, keys));
        var refresher = new Holder(new OwnerRefresh(context, secret, encryptor), plan.Parameters.MaxLevel);
        using var model = program.Model();
        Array.ForEach([.. model.Units], unit => unit.Load(0, [.. Enumerable.Range(0, unit.Layout.Packs).Select(_ => new AdamWPack(Made(1, 1)[0], Made(1, 1)[0], Made(1, 1)[0]))]));

        model.Step(new TensorMath(evaluator, refresher, plan.Packing), Enumerable.Range(0, microBatches).Select(_ => new EncryptedBatch(
            new Activation(plan.Packing.Hidden, Made(plan.Packing.Hidden.Ciphertexts, plan.Levels.Inputs)), Made(SlotMaps.ShiftGroups(plan.Packing), plan.Levels.Masks), Made(2, plan.Levels.Targets))), 0.1, 0.01);

        Assert.Equal(plan.Counts(microBatches).OrderBy(entry => entry.Key), evaluator.Ledger.Counts.OrderBy(entry => entry.Key));
        Assert.Equal(plan.Keys, evaluator.Ledger.Keys.OrderBy(key => key.Element));
        Assert.Equal(plan.Refreshes(microBatches), refresher.Count);

        Ciphertext[] Made(int count, int level) => [.. Enumerable.Range(0, count).Select(_ =>
        {
            using var message = new Encoder(context).Encode([0.1], level, plan.Parameters.ScaleAt(level));
            return encryptor.Encrypt(message, secret);
        })];
    }

    [Fact]
    public void Every_block_of_a_layer_and_the_head_has_its_share_of_work_and_refreshes()
    {
        using var task = new MadeTask(layers: 2, outputs: 2);
        using var program = new MadeProgram(task);
        var plan = program.Units();

        string[] Blocks(int unit, PlanPass pass) => [.. plan.Units[unit].Blocks.Where(block => block.Pass == pass && block.Operations > 0).Select(block => block.Name)];

        Assert.Equal(["norm1", "qkv, adapters", "attention", "dense", "norm2", "ffn", "sums"], Blocks(0, PlanPass.Forward));
        Assert.Equal(["norm1", "qkv, adapters", "attention", "dense", "norm2", "ffn", "sums"], Blocks(1, PlanPass.Backward).Except(["gradients"]));
        // Nobody wants the gradient of the first layer's input.
        Assert.DoesNotContain("norm1", Blocks(0, PlanPass.Backward));
        Assert.Equal(["norm", "pooler, head"], Blocks(2, PlanPass.Forward));
        Assert.Equal(["norm", "pooler, head", "loss"], Blocks(2, PlanPass.Backward).Except(["gradients"]));
        Assert.All(plan.Units, unit => Assert.Equal(["optimiser"], unit.Blocks.Where(block => block.Pass == PlanPass.Step).Select(block => block.Name)));
        Assert.All(plan.Units, unit => Assert.Equal(["gradients"], unit.Blocks.Where(block => block.Pass == PlanPass.Sum).Select(block => block.Name)));
        Assert.True(plan.Units[0].Blocks.Single(block => block is { Name: "ffn", Pass: PlanPass.Forward }).Refreshes > 0);
        Assert.All(plan.Units.SelectMany(unit => unit.Moments), moment => Assert.True(moment.From < moment.To, $"{moment}"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void Stages_need_subsets_of_the_keys_and_together_all_of_them(int stages)
    {
        using var task = new MadeTask(layers: 2, outputs: 2);
        using var program = new MadeProgram(task);
        var plan = program.Units();

        var cut = StagePlan.Cut(plan, StagePartition.ByCount(plan.Units.Count, stages), Schedule, 4, 64 << 20, null);

        Assert.Equal(plan.Units.Select(unit => unit.Name), cut.SelectMany(stage => stage.Units).Select(unit => unit.Name));
        foreach (var key in plan.Keys)
        {
            var uses = cut.SelectMany(stage => stage.Keys).Where(other => other.Element == key.Element).ToArray();
            Assert.Equal(key.Level, uses.Max(use => use.Level));
        }

        Assert.All(cut, stage => Assert.Subset(plan.Keys.Select(key => key.Element).ToHashSet(), stage.Keys.Select(key => key.Element).ToHashSet()));
        Assert.All(cut, stage => Assert.True(stage.KeyBytes <= plan.Keys.Sum(key => Planner.KeyBytes(plan.Parameters, key))));
        Assert.Equal((0, 0), (cut[0].BytesBack, cut[^1].BytesOn));
        // The first stage waits for all behind it, and so keeps more micro-batches.
        Assert.True(stages == 1 || StagePlan.Cut(plan, StagePartition.ByCount(plan.Units.Count, stages), Schedule, 1, 0, null)[0].CiphertextBytes < cut[0].CiphertextBytes);
    }

    [Fact]
    public void A_forecast_falls_with_nodes_and_cores_but_never_below_the_owners_work()
    {
        using var task = new MadeTask(layers: 3, outputs: 2);
        using var program = new MadeProgram(task);
        var plan = program.Units();
        var speed = new NodeSpeed(MadeProgram.Costs, 1, 0, null, new OwnerSpeed(0, 0, 15, 1, double.PositiveInfinity));

        StepForecast Of(int nodes, NodeSpeed at, int microBatches = 8) => StepForecast.Of(plan, nodes, Schedule, microBatches, at);

        var (one, two, four) = (Of(1, speed), Of(2, speed), Of(4, speed));
        Assert.Equal(one.Seconds, one.Compute[0], 1e-6);
        Assert.Equal(plan.Units.Sum(unit => unit.StepSeconds(MadeProgram.Costs, 0, 8)), one.Seconds, 1e-6);
        Assert.True(one.Seconds > two.Seconds && two.Seconds > four.Seconds, $"{one.Seconds}, {two.Seconds}, {four.Seconds}");
        Assert.Equal(one.Seconds / 4, Of(1, speed with { Cores = 4 }).Seconds, 1e-6);
        Assert.Equal((64, 4, four.Seconds), (Of(64, speed).Nodes, Of(64, speed).Stages.Count, Of(64, speed).Seconds));
        Assert.Equal(one.Seconds - plan.Units.Sum(unit => unit.Seconds(PlanPass.Step, MadeProgram.Costs, 0)) + Of(1, speed, 1).Compute[0] - one.Compute[0],
            Of(1, speed, 1).Seconds - plan.Units.Sum(unit => unit.Seconds(PlanPass.Step, MadeProgram.Costs, 0)), 1e-6);

        var slow = speed with { Owner = new OwnerSpeed(1e6, 1e6, 15, 1, double.PositiveInfinity) };
        Assert.True(Of(4, slow).Seconds >= 1e6 * plan.Refreshes(8));
        Assert.Equal(1e6 * plan.Refreshes(8), Of(4, slow).OwnerSeconds, 1.0);
        Assert.Equal(0, one.StageBytes(8));
        Assert.True(two.StageBytes(8) > 0 && four.StageBytes(8) > two.StageBytes(8));
    }

    [Fact]
    public void Refreshes_wait_for_owner_and_network()
    {
        using var task = new MadeTask(layers: 1, outputs: 2);
        using var program = new MadeProgram(task);
        var plan = program.Units();

        var traffic = OwnerTraffic.Of(plan.Parameters, plan.Units, 2, new OwnerSpeed(1, 1, 15, 1, 1e6));

        Assert.Equal(plan.Refreshes(2), traffic.Ciphertexts);
        Assert.Equal(plan.Refreshes(2), traffic.OwnerSeconds, 1e-6);
        Assert.Equal(traffic.OwnerSeconds + ((traffic.ToOwner + traffic.FromOwner) / 1e6), traffic.WaitSeconds, 1e-6);
    }

    [Fact]
    public void A_large_model_takes_no_more_to_plan_than_one_layer_and_the_head()
    {
        var parameters = new CkksParameters(ParameterSets.L15);
        var (arch, names) = (new BertConfig { Layers = 24, Hidden = 768, Heads = 12, FeedForward = 1536, Sequence = 128, FusedQkv = false, Attention = AttentionKind.GaussianKernel, Activation = GateActivation.Relu }, new List<string>());
        var shape = new FineTuneShape { Outputs = 2, PoolerRank = 128, PoolerWidth = 1024, Lora = new LoraShape { Rank = 2, Alpha = 1 } };
        string[] units = [.. UnitFactory.Names(arch).Skip(1)];
        var optim = new AdamWOptions { Eps = 2e-4, EpsInsideRoot = true };
        var makers = new EncryptedUnits(
            new EncryptedRecipe
            {
                Arch = arch,
                Shape = shape,
                Optim = optim,
                Set = parameters.Name,
                Tokens = 128,
                Batch = 1,
                Calibration = MadeModel.Calibration(units, 2, optim, parameters).ToJson(),
            },
            new Packing(parameters.Slots, 128, 1, arch.Heads, arch.HeadWidth));

        var plan = ModelPlan.Of(parameters, makers.Packing, units, unit => unit == "head" ? unit : "layer", unit =>
        {
            names.Add(unit);
            return makers.Create(unit, name => MadeModel.Weights(arch, name));
        }, 2);

        Assert.Equal(["layers.0", "head"], names);
        Assert.Equal(units, plan.Units.Select(unit => unit.Name));
        Assert.All(plan.Units.Skip(1).SkipLast(1), unit => Assert.Same(plan.Units[1].Blocks, unit.Blocks));
        Assert.Equal(plan.Units[1].Counts(1).Values.Sum() * 23, plan.Units.Skip(1).SkipLast(1).Sum(unit => unit.Counts(1).Values.Sum()));
        // Keys do not grow with layers, ciphertexts of a stage do not with those of others.
        var cut = StagePlan.Cut(plan, StagePartition.ByCount(units.Length, units.Length), Schedule, 1, 0, null);
        Assert.Equal(cut[1].KeyBytes, cut[23].KeyBytes);
        Assert.Equal(cut[1].CiphertextBytes, cut[23].CiphertextBytes);
        // Each of 6 ciphertexts of 768 features meets 128 diagonals of each of 6 ciphertexts of a 768 × 768 matrix.
        Assert.True(plan.Units[1].Blocks.Single(block => block is { Name: "dense", Pass: PlanPass.Forward }).Counts.Where(entry => entry.Key.Operation == Operation.MultiplyDiagonal).Sum(entry => entry.Value) == 6 * 6 * 128);
    }

    [Fact]
    public void What_a_plan_asks_for_comes_back_from_its_file_and_from_no_other()
    {
        using var folder = new Bert.TemporaryFolder();
        using var task = new MadeTask(layers: 2, outputs: 2);
        using var program = new MadeProgram(task);
        var (path, plan) = (Path.Combine(folder.Path, "plans", "made.json"), program.Units());
        var kept = EncryptedPlan.From(plan, "this");
        Assert.Null(EncryptedPlan.Find(path, "this"));

        kept.Save(path);

        Assert.Null(EncryptedPlan.Find(path, "that"));
        var found = EncryptedPlan.Find(path, "this")!;
        Assert.Equal(plan.Levels, found.Levels);
        Assert.Equal(plan.Keys, found.Keys);
        Assert.Equal(plan.Units.SelectMany(unit => unit.Keys), found.Units.SelectMany(unit => unit.Keys));
        Assert.Equal(program.Whole(1).Sites, found.Sites);
        Assert.Equal(kept.Units.SelectMany(unit => unit.Blocks), found.Units.SelectMany(unit => unit.Blocks));
        var (expected, ranges) = (program.Whole(1).Ranges, found.Ranges(plan.Packing));
        Assert.Equal(expected.Select(range => (range.Site, range.Low, range.High, range.ShiftGroup)), ranges.Select(range => (range.Site, range.Low, range.High, range.ShiftGroup)));
        Assert.Equal(expected.Select(range => range.Slots), ranges.Select(range => range.Slots));
        File.WriteAllText(path, "{}");
        Assert.Null(EncryptedPlan.Find(path, "this"));
    }

    [Fact]
    public void Levels_are_told_by_block_and_units_that_are_alike_once()
    {
        BlockLevels[] blocks = [new("norm1", PlanPass.Forward, 14, 0, 2), new("norm1", PlanPass.Backward, 4, 1, 1), new("optimiser", PlanPass.Step, 9, 0, 11)];
        UnitPlan Unit(string name, BlockLevels[] of) => new(name, [], [], [], of, new Dictionary<string, int>());
        var said = new StringWriter { NewLine = "\n" };

        StepTables.WriteLevels(said, new EncryptedPlan { Of = "", Levels = new(1, 1, 1), Units = [Unit("layers.0", blocks), Unit("layers.1", [.. blocks]), Unit("head", blocks[2..])] });

        Assert.Equal(
            """
              levels by block: the highest computed at, the lowest left (plan)
              units                 block      forward  backward  update  refreshes
              layers.0 to layers.1  norm1         14–0       4–1                  3
                                    optimiser                        9–0         11
              head                  optimiser                        9–0         11

            """.ReplaceLineEndings("\n"), said.ToString());
    }

    [Fact]
    public void A_unit_that_the_packing_cannot_hold_is_refused_with_what_to_do()
    {
        using var task = new MadeTask(layers: 1, outputs: 2);
        var makers = new EncryptedUnits(task.Recipe, task.Recipe.Packing(task.Recipe.Parameters()));

        var refused = Assert.Throws<RefusedException>(() => makers.Create("head", _ => throw new ArgumentException("Take another rank.", "layout")));

        Assert.Equal("head cannot be made for 8 tokens of 4 examples: Take another rank. (eval.pooler_rank, eval.pooler_width, he.tokens, he.batch)", refused.Message);
    }

    /// <summary>Refreshes by the secret key, and counts.</summary>
    private sealed class Holder(OwnerRefresh owner, int maxLevel) : IRefresher
    {
        public int MaxLevel => maxLevel;

        public long Count { get; private set; }

        public IReadOnlyList<Ciphertext> Refresh(IReadOnlyList<Ciphertext> ciphertexts, int level, string site)
        {
            Count += ciphertexts.Count;
            return [.. ciphertexts.Select(c => owner.Refresh(c, level))];
        }
    }
}
