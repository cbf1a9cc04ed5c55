using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using Xunit;

namespace ActorTrainer.Tests.Objects;

public sealed class ClusterCheckpointsTests : IDisposable
{
    private readonly TestNode _coordinator = new();
    private readonly TestNode _stage = new();
    private readonly TestNode _gone = new();
    private readonly TestNode _damaged = new();

    public ClusterCheckpointsTests() => _gone.StopServing();

    public void Dispose()
    {
        _coordinator.Dispose();
        _stage.Dispose();
        _gone.Dispose();
        _damaged.Dispose();
    }

    [Fact]
    public void A_committed_manifest_is_read_back_and_by_another_coordinator_too()
    {
        var objects = Save(_stage, 3);
        var manifest = Checkpoints(_coordinator).Commit(At(3), objects);
        Assert.Equal(3, _coordinator.Store.StepOf(TestNode.Run, manifest));
        Assert.Equal(objects, Checkpoints(_coordinator).Objects(manifest));
        Assert.Equal(objects, Checkpoints(_stage, _coordinator.Address).Objects(manifest)); // brought there
        Assert.Throws<RefusedException>(() => Checkpoints(_damaged, _stage.Address).Objects(new string('a', 64)));
    }

    [Fact]
    public void An_export_brings_what_is_not_here_from_whoever_has_it()
    {
        var objects = Save(_stage, 5);
        _coordinator.Put(Content(0, 5), 5); // one is here already
        foreach (var unit in new[] { 1, 2 })
        {
            _damaged.Damage(_damaged.Put(Content(unit, 5), 5));
        }

        var path = Checkpoints(_coordinator, _gone.Address, _damaged.Address, _stage.Address).Export(At(5), objects);
        Assert.Equal("exported step 5: 0/5 1/5 2/5", path);
        Assert.Equal(5, _coordinator.Store.StepOf(TestNode.Run, objects["unit-2"]));
    }

    [Fact]
    public void An_export_that_lacks_an_object_says_which_and_who_was_asked()
    {
        var objects = Save(_stage, 5);
        File.Delete(_stage.Store.PathOf(TestNode.Run, objects["unit-1"]));
        var message = Assert.Throws<RefusedException>(
            () => Checkpoints(_coordinator, _gone.Address, _stage.Address).Export(At(5), objects)).Message;
        Assert.Contains(objects["unit-1"], message);
        Assert.Contains(_gone.Address, message);
    }

    [Fact]
    public void The_newest_checkpoints_are_kept_and_older_ones_go()
    {
        var checkpoints = Checkpoints(_coordinator);
        List<(string Manifest, IReadOnlyDictionary<string, string> Objects)> all = [];
        IReadOnlyList<string> kept = [];
        for (var step = 1; step <= 4; step++)
        {
            var objects = Save(_coordinator, step);
            var manifest = checkpoints.Commit(At(step), objects);
            all.Add((manifest, objects));
            kept = checkpoints.Collect(manifest, objects);
        }

        var expected = all.TakeLast(2).SelectMany(checkpoint => checkpoint.Objects.Values.Append(checkpoint.Manifest)).Order().ToList();
        Assert.Equal(expected, kept.Order());
        Assert.Equal(expected.Select(hash => _coordinator.Store.PathOf(TestNode.Run, hash)).Order(), _coordinator.Files.Order());
    }

    [Fact]
    public void A_late_collection_leaves_what_is_being_saved()
    {
        var checkpoints = Checkpoints(_coordinator);
        var objects = Save(_coordinator, 1);
        var manifest = checkpoints.Commit(At(1), objects);
        var later = Save(_coordinator, 2);
        checkpoints.Collect(manifest, objects);
        Assert.Equal(later.Values, _coordinator.Store.Holds(TestNode.Run, later.Values));
    }

    [Fact]
    public void With_a_shared_folder_nobody_is_asked()
    {
        var objects = Save(_coordinator, 2);
        var shared = new ClusterCheckpoints(
            _coordinator.Store, null, () => throw new InvalidOperationException("asked"), Describe, Export, keep: 2);
        shared.Begin(TestNode.Run);
        Assert.Equal(objects, shared.Objects(shared.Commit(At(2), objects)));
        Assert.Equal("exported step 2: 0/2 1/2 2/2", shared.Export(At(2), objects));
    }

    private static ClusterCheckpoints Checkpoints(TestNode node, params string[] addresses)
    {
        var checkpoints = new ClusterCheckpoints(node.Store, node.Client, () => addresses, Describe, Export, keep: 2);
        checkpoints.Begin(TestNode.Run);
        return checkpoints;
    }

    [Fact]
    public void Pretrained_weights_are_in_the_store_once_the_run_is_known_and_stay_there_with_the_checkpoints_that_name_them()
    {
        var weights = _stage.Put(Content(9, 9), 0);
        var pretrained = new PretrainedObjects(new Dictionary<string, string> { ["unit-0"] = weights }, new ObjectExchange(_stage.Store, null, TestNode.Run));
        var checkpoints = new ClusterCheckpoints(_coordinator.Store, _coordinator.Client, () => [], Describe, Export, keep: 1, pretrained);

        checkpoints.Begin(TestNode.Run);
        checkpoints.Begin(TestNode.Run);
        foreach (var step in new[] { 1, 2 })
        {
            var objects = BaseObjects.With(pretrained.Units, Save(_coordinator, step));
            checkpoints.Collect(checkpoints.Commit(At(step), objects), objects);
        }

        Assert.Equal("9/9", File.ReadAllText(checkpoints.Reader.Verified(weights)));
        Assert.Equal("9/9", checkpoints.Export(At(2), new Dictionary<string, string> { [BaseObjects.Key("unit-0")] = weights }).Split(' ')[^1]);
    }

    [Fact]
    public void A_reader_brings_objects_that_only_another_node_holds()
    {
        var hash = _stage.Put(Content(1, 1), 1);
        var checkpoints = Checkpoints(_coordinator, _stage.Address);

        Assert.Equal("1/1", File.ReadAllText(checkpoints.Reader.Verified(hash)));
        Assert.Throws<RefusedException>(() => checkpoints.Reader.Verified(new string('a', 64)));
    }

    private static byte[] Content(int unit, int step) => System.Text.Encoding.UTF8.GetBytes($"{unit}/{step}");

    private static Dictionary<string, string> Save(TestNode node, int step) =>
        Enumerable.Range(0, 3).ToDictionary(unit => $"unit-{unit}", unit => node.Put(Content(unit, step), step));

    private static string Export(CheckpointManifest manifest, IObjectStore store) =>
        $"exported step {manifest.Step}: {string.Join(' ', manifest.Units.Values.Select(hash => File.ReadAllText(store.Verified(hash))))}";

    private static RunPosition At(long step) => RunPosition.Start with { Step = step };

    private static CheckpointManifest Describe(RunPosition at, IReadOnlyDictionary<string, string> objects) => new()
    {
        Run = "name",
        Step = at.Step,
        Tokens = 0,
        Sequences = at.Sequences,
        Seconds = at.Seconds,
        Seed = 1,
        Arch = new BertConfig(),
        TrainHash = "",
        OptimiserStep = at.Step,
        TokenizerHash = "",
        DataKey = "",
        Units = objects,
    };
}
