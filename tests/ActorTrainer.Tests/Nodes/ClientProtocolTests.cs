using ActorTrainer.Actors.Nodes;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Tests.Actors;
using Akka.Actor;
using Akka.Configuration;
using Akka.TestKit;
using Akka.TestKit.Xunit2;
using Xunit;

namespace ActorTrainer.Tests.Nodes;

/// <summary>A client between probes that play the agents of two nodes and lose, double and mix what goes by.</summary>
public class ClientProtocolTests() : TestKit(
    ConfigurationFactory.ParseString("akka.loglevel = OFF\nakka.stdout-loglevel = OFF\nakka.actor.serialize-messages = on").WithFallback(WireSerializer.Config))
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);
    private static readonly RunProtocol.Outcome Done = new(OutcomeKind.Completed, 7, "done", "where");

    [Fact]
    public async Task A_question_goes_to_the_nodes_in_turn_until_one_brings_the_answer_and_the_first_of_several_counts()
    {
        var (first, second) = (CreateTestProbe(), CreateTestProbe());
        var answer = new TaskCompletionSource<ClientProtocol.SubmitReply>();
        var agents = Agents(first, second);
        var question = new ClientProtocol.Submit("r", "a=1");
        Sys.ActorOf(Props.Create(() => new ClientQuestion<ClientProtocol.SubmitReply>(question, agents, answer)));

        first.ExpectMsg<ClientProtocol.Submit>(Patience); // lost
        second.ExpectMsg<ClientProtocol.Submit>(Patience); // lost too
        Assert.Equal("a=1", first.ExpectMsg<ClientProtocol.Submit>(Patience).Settings);
        first.Reply(new ClientProtocol.SubmitReply("r", "busy"));
        first.Reply(new ClientProtocol.SubmitReply("r", ""));
        second.Reply(new ClientProtocol.SubmitReply("r", ""));

        Assert.Equal("busy", (await answer.Task.WaitAsync(Patience)).Refusal);
    }

    [Fact]
    public async Task Who_looks_on_asks_again_when_questions_are_lost_and_is_told_an_attempt_once_and_the_end_whatever_came_twice_or_late()
    {
        var (first, second) = (CreateTestProbe(), CreateTestProbe());
        var (observer, outcome) = (new RecordingObserver(), new TaskCompletionSource<RunProtocol.Outcome>());
        var (agents, time) = (Agents(first, second), new ManualTime());
        Sys.ActorOf(Props.Create(() => new ClientWatch("r", agents, observer, time, outcome)));

        first.ExpectMsg<ClientProtocol.Watch>(Patience); // lost
        second.ExpectMsg<ClientProtocol.Watch>(Patience);
        foreach (var message in new IWire[]
        {
            new ClientProtocol.Attempt("r", 2, 5), new ClientProtocol.Notice("r", "late"), new ClientProtocol.Attempt("r", 2, 5), new ClientProtocol.Watching("r", "step 5"),
            new ClientProtocol.Ended("another", Done), new ClientProtocol.Attempt("another", 9, 9), new ClientProtocol.Attempt("r", 2, 5),
        })
        {
            second.Reply(message);
        }

        second.ExpectMsg<ClientProtocol.Watch>(Patience); // the coordinator that answered is asked again
        AwaitAssert(() => Assert.Equal(["late"], observer.Notices), Patience);
        Assert.Equal([(2, 5L)], observer.Attempts);
        Assert.False(outcome.Task.IsCompleted);

        time.Advance(TimeSpan.FromSeconds(6));
        AwaitAssert(() => Assert.Contains("has been silent for 5 s", observer.Notices.Last()), Patience);
        var successor = CreateTestProbe();
        var watch = second.LastSender;
        watch.Tell(new ClientProtocol.Attempt("r", 3, 6), successor);
        successor.ExpectMsg<ClientProtocol.Watch>(Patience); // so is the one that took over
        Assert.Equal("the coordinator answers again", observer.Notices.Last());
        Assert.Equal(3, observer.Notices.Count);
        watch.Tell(new ClientProtocol.Ended("r", Done), successor);
        watch.Tell(new ClientProtocol.Ended("r", Done with { Step = 8 }), successor);

        Assert.Equal(Done, await outcome.Task.WaitAsync(Patience));
        Assert.Equal([(2, 5L), (3, 6L)], observer.Attempts);
    }

    private IReadOnlyList<ActorSelection> Agents(params TestProbe[] probes) => [.. probes.Select(probe => Sys.ActorSelection(probe.Ref.Path))];
}
