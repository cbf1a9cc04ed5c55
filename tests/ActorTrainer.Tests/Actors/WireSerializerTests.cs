using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Telemetry;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Actors;

public class WireSerializerTests() : TestKit(WireSerializer.Config.WithFallback(ConfigurationFactory.ParseString("akka.loglevel = OFF")))
{
    private static readonly Dictionary<string, string> Objects = new() { ["embedding"] = "ab", ["head"] = "cd" };

    private static readonly Dictionary<string, IReadOnlyList<string>> Addresses = new() { ["ab"] = ["a:1", "b:2"], ["cd"] = [] };

    private static readonly NodeReport Node = new("n1", "f00d", ["stage"], "a:1", 2, 1 << 30, 31.5, "idle");

    private static readonly StepMetrics Step = new()
    {
        Step = 7,
        Loss = 1.5,
        LearningRate = 1e-3,
        GradientNorm = 2,
        Sequences = 64,
        Tokens = 8192,
        TotalTokens = 57344,
        Progress = 0.5,
        Seconds = 0.25,
        MicroBatches = 4,
        Attempt = 2,
        Skipped = true,
        Stages = [new StageLoad(0, 0.1, 0.2)],
    };

    private static readonly object[] Samples =
    [
        new StageProtocol.Prepare("r", 2, 1, 4, [1, 2, 1, 1], "{\"a\":1}", Objects, ScheduleKind.Interleaved, 30, ["a:1", "b:2"], Addresses, ["c:3"], Tied: false),
        new StageProtocol.Ready("r", 2, 1),
        new StageProtocol.RunStep("r", 2, 7, Phase.Evaluate, 3, 0.125, true, true),
        new StageProtocol.GradientsReady("r", 2, 7, 1, new Dictionary<int, double[]> { [3] = [1.5, double.NaN], [4] = [] }, double.PositiveInfinity, -1),
        new StageProtocol.Update("r", 2, 7, 1e-3, 0.5, true),
        new StageProtocol.StepDone(
            "r", 2, 7, Phase.Train, 1, 0.5, 1.25, double.NaN, new EvaluationScore(1.5, 2, 3, [0.5f, -1]), [new LayerDigest("layers.0", "a", "b", "c")],
            [new StageSpan(1, 7, new Instruction(InstructionKind.Backward, 2, 1), 0.5, 0.75)]),
        new StageProtocol.Save("r", 2, 7),
        new StageProtocol.Saved("r", 2, 7, 1, Objects),
        new StageProtocol.Failed("r", 2, 7, 1, "Forward(0)", "why"),
        new StageProtocol.Waiting("r", 2, 7, 1),
        new StageProtocol.AskStatus("r", 2),
        new StageProtocol.Status("r", 2, 7, 1, true, 3.5, "computes", 1.5),
        new RunProtocol.Start(),
        new RunProtocol.Stop(),
        new RunProtocol.Outcome(OutcomeKind.Failed, 7, "why", "where"),
        new RunEvents.Created("r", "a=1\nb=2"),
        new RunEvents.AttemptStarted(2, 7, "why", AttemptCause.Loss),
        new RunEvents.StepRecorded(2, 7, 1.5, double.NaN, 1e-3, 64, 0.25, true),
        new RunEvents.Committed(2, 7, "hash", Objects),
        new RunEvents.Completed(7, "where"),
        new RunEvents.Failed(7, "why"),
        new DealerProtocol.Deal("r", 2, 7, Phase.Train, 128, [16, 16, 3], 2, 4),
        new RunState("r", "a=1", 2, new RunPosition(7, 448, 3.5, 1), RunPosition.Start, "hash", "", Objects, new Retries(1, 2, "why", 1)),
        new StageProtocol.LinkDown("r", 2, 1, 2, "why"),
        new NodeProtocol.Announce(3, 12),
        new NodeProtocol.Beat(3, 12, Node),
        new NodeProtocol.Engage("r", 2, ["ab", "cd"]),
        new NodeProtocol.Engaged("r", 2, Node, "akka.tcp://a@b:1/user/node/stage", ["ab"]),
        new NodeProtocol.Keep("r", "f00d", 7, ["ab"], true),
        new ClientProtocol.Submit("r", "a=1"),
        new ClientProtocol.SubmitReply("r", "why not"),
        new ClientProtocol.Watch("r"),
        new ClientProtocol.Stop("r"),
        new ClientProtocol.AskStatus(),
        new ClientProtocol.Status(3, "n0", [new NodeStatus(Node, 0.5, "spare")], new RunStatus("r", "step 7", 2, 6, 5, 0.25, ["stage 0 computes"])),
        new ClientProtocol.Notice("r", "text"),
        new ClientProtocol.Attempt("r", 2, 5),
        new ClientProtocol.Step("r", Step),
        new ClientProtocol.Evaluation("r", new EvaluationMetrics(7, 1.5, 2.5, 0.25, 100, 0.5)),
        new ClientProtocol.Spans("r", [new StageSpan(1, 7, new Instruction(InstructionKind.Forward, 2, 1), 0.5, 0.75)]),
        new ClientProtocol.Digest("r", 7, [new LayerDigest("layers.0", "a", "b", "c")]),
        new ClientProtocol.Checkpoint("r", 7, "where"),
        new ClientProtocol.Commit("r", 7),
        new ClientProtocol.Ended("r", new RunProtocol.Outcome(OutcomeKind.Completed, 7, "done", "where")),
        new NodeProtocol.Probe(["a:1#7", "b:2#-8"]),
        new ClientProtocol.Watching("r", "step 7"),
        new ClusterEvents.TookOver(3),
        new ClusterEvents.Submitted("r", "a=1"),
        new ClusterEvents.Kept("r", 7, ["ab"]),
        new ClusterEvents.Ended("r", new RunProtocol.Outcome(OutcomeKind.Failed, 7, "why", "")),
        new EvaluationProtocol.Evaluate("q", "r", 7, new EvaluationModel("{}", Objects, ""), ["dev"]),
        new EvaluationProtocol.Want(),
        new EvaluationProtocol.Assign("q", 3, new EvaluationModel("{}", Objects, "where"), "dev", 64, 32, 16),
        new EvaluationProtocol.Scored("q", 3, [1.5f, float.NaN]),
        new EvaluationProtocol.JobFailed("q", 3, "why"),
        new EvaluationProtocol.Evaluated("q", 7, new Dictionary<string, float[]> { ["dev"] = [1.5f, -2], ["test"] = [] }),
        new EvaluationProtocol.Failed("q", 7, "why"),
        new EvaluationProtocol.Superseded("q", 7, 9),
    ];

    [Fact]
    public void Every_wire_type_has_a_sample_here_and_comes_back_equal()
    {
        var serialization = Sys.Serialization;
        Assert.Equal(WireSerializer.KnownTypes.Select(t => t.Name).Order(), Samples.Select(s => s.GetType().Name).Order());
        foreach (var sample in Samples)
        {
            var serializer = Assert.IsType<WireSerializer>(serialization.FindSerializerFor(sample));
            var back = serializer.FromBinary(serializer.ToBinary(sample), serializer.Manifest(sample));
            Assert.Equivalent(sample, back, strict: true);
        }
    }

    [Fact]
    public void Every_message_type_of_the_protocols_is_in_the_table()
    {
        var declared = typeof(IWire).Assembly.GetTypes().Where(t => !t.IsInterface && !t.IsAbstract && typeof(IWire).IsAssignableFrom(t));

        Assert.Equal(declared.Select(t => t.FullName).Order(), WireSerializer.KnownTypes.Select(t => t.FullName).Order());
    }

    [Fact]
    public void An_unknown_manifest_and_broken_bytes_are_refused()
    {
        var serializer = new WireSerializer((ExtendedActorSystem)Sys);
        var bytes = serializer.ToBinary(Samples[0]);

        Assert.Contains("Manifest 'zz9'", Assert.Throws<ArgumentException>(() => serializer.FromBinary(bytes, "zz9")).Message);
        Assert.ThrowsAny<Exception>(() => serializer.FromBinary(bytes[..(bytes.Length / 2)], "sp1"));
        Assert.Throws<ArgumentException>(() => serializer.Manifest("a string"));
    }

    [Fact]
    public void The_identifier_is_that_of_the_journals_already_written() =>
        Assert.Equal(2174, new WireSerializer((ExtendedActorSystem)Sys).Identifier);
}
