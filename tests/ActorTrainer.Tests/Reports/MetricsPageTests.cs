using System.Diagnostics.Metrics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Reports;
using Xunit;

namespace ActorTrainer.Tests.Reports;

public sealed class MetricsPageTests : IDisposable
{
    private readonly Meter _meter = new(MetricsPage.MeterName);
    private readonly MetricsPage _page;
    private readonly HttpClient _client = new() { Timeout = TimeSpan.FromSeconds(10) };

    public MetricsPageTests() => _page = new MetricsPage(IPAddress.Loopback, 0, _meter, TimeSpan.FromSeconds(10));

    public void Dispose()
    {
        _client.Dispose();
        _page.Dispose();
        _meter.Dispose();
    }

    [Fact]
    public async Task What_a_run_reports_can_be_scraped()
    {
        IRunObserver meters = new RunObservers(new RunMeters(_meter));
        meters.OnAttempt(1, 0, AttemptCause.Start);
        meters.OnStep(Step(1, seconds: 0.5));
        meters.OnStep(Step(2, seconds: 3));
        meters.OnCommit(2);
        meters.OnStep(Step(3, seconds: 0.5));
        meters.OnAttempt(2, 2, AttemptCause.Loss);
        meters.OnAttempt(3, 2, AttemptCause.Loss);

        var samples = await Scrape();

        Assert.Equal(3, samples["actortrainer_step_seconds_count"]);
        Assert.Equal(4, samples["actortrainer_step_seconds_sum"]);
        Assert.Equal(2, samples["actortrainer_step_seconds_bucket{le=\"0.64\"}"]);
        Assert.Equal(3 * 640, samples["actortrainer_tokens_total"]);
        Assert.Equal(0.625, samples["actortrainer_bubble_share"]);
        Assert.Equal(1.5, samples["actortrainer_stage_busy_seconds_total{stage=\"0\"}"]);
        Assert.Equal(0.75, samples["actortrainer_stage_busy_seconds_total{stage=\"1\"}"]);
        Assert.Equal(2, samples["actortrainer_committed_step"]);
        Assert.Equal(2, samples["actortrainer_step"]);
        Assert.Equal(3, samples["actortrainer_attempt"]);
        Assert.Equal(1, samples["actortrainer_attempts_total{cause=\"start\"}"]);
        Assert.Equal(2, samples["actortrainer_attempts_total{cause=\"loss\"}"]);
        Assert.True(samples["process_working_set_bytes"] > 1e6);
    }

    [Fact]
    public async Task What_a_node_counts_is_read_when_it_is_scraped()
    {
        var peers = new PeerCounters();
        var (reading, beats) = (new DataPlaneReading(1, 2, 3, 4, 5, 6, 7, 8), 10L);
        NodeMeters.Attach(_meter, () => reading, () => peers, () => beats, () => 3);
        await Scrape();
        (reading, beats) = (new DataPlaneReading(100, 200, 300, 400, 500, 600, 7, 8), 11);
        peers.CountAccepted();
        peers.CountRefused();
        peers.CountMalformed();
        peers.CountMalformed();
        peers.CountReplayed();

        var samples = await Scrape();

        Assert.Equal((100, 200), (samples["actortrainer_data_bytes_sent_total"], samples["actortrainer_data_bytes_received_total"]));
        Assert.Equal((300, 400), (samples["actortrainer_data_frames_sent_total"], samples["actortrainer_data_frames_received_total"]));
        Assert.Equal((500, 600), (samples["actortrainer_data_stale_total"], samples["actortrainer_data_resumed_total"]));
        Assert.Equal((7, 8), (samples["actortrainer_data_queued"], samples["actortrainer_data_links"]));
        Assert.Equal((1, 1), (samples["actortrainer_peers_accepted_total"], samples["actortrainer_peers_refused_total"]));
        Assert.Equal((2, 1), (samples["actortrainer_peers_malformed_total"], samples["actortrainer_peers_replayed_total"]));
        Assert.Equal((11, 3), (samples["actortrainer_beats_total"], samples["actortrainer_usable_nodes"]));
    }

    [Fact]
    public async Task Instruments_of_other_meters_are_not_shown()
    {
        using var other = new Meter(MetricsPage.MeterName);
        other.CreateCounter<long>("foreign").Add(1);

        Assert.DoesNotContain("foreign", await _client.GetStringAsync(Address("/metrics")));
    }

    [Theory]
    [InlineData("GET /elsewhere HTTP/1.1\r\nHost: a.name\r\n\r\n", "HTTP/1.1 404")]
    [InlineData("POST /metrics HTTP/1.1\r\n\r\n", "HTTP/1.1 405")]
    [InlineData("\r\n\r\n", "HTTP/1.1 400")]
    [InlineData("GET /metrics HTTP/1.1\r\nHost: a.name\r\n\r\n", "HTTP/1.1 200")]
    public async Task Any_other_request_is_answered_with_its_error(string request, string status) => Assert.StartsWith(status, await Send(request));

    [Fact]
    public async Task A_request_without_end_is_cut_off_and_costs_no_other_one()
    {
        var endless = await Send(new string('x', 100_000));

        Assert.True(endless.Length == 0 || endless.StartsWith("HTTP/1.1 400", StringComparison.Ordinal), endless);
        Assert.NotEmpty(await Scrape());
    }

    private static StepMetrics Step(long step, double seconds) => new()
    {
        Step = step,
        Loss = 7,
        LearningRate = 1e-3,
        GradientNorm = 1,
        Sequences = 5,
        Tokens = 640,
        TotalTokens = 640 * step,
        Progress = 0.1,
        Seconds = seconds,
        MicroBatches = 2,
        Attempt = 1,
        Stages = [new StageLoad(0, 0.5, 1), new StageLoad(1, 0.25, 1)],
    };

    private async Task<string> Send(string request)
    {
        using var socket = new TcpClient();
        await socket.ConnectAsync(_page.Endpoint);
        try
        {
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(request));
            using var reader = new StreamReader(socket.GetStream());
            return await reader.ReadToEndAsync().WaitAsync(TimeSpan.FromSeconds(10));
        }
        catch (IOException)
        {
            return ""; // cut off while still talking
        }
    }

    private string Address(string path) => $"http://{_page.Endpoint}{path}";

    private async Task<Dictionary<string, double>> Scrape()
    {
        var text = await _client.GetStringAsync(Address("/metrics"));
        return text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Where(line => line[0] != '#').Select(line => line.Split(' '))
            .ToDictionary(words => words[0], words => double.Parse(words[1], CultureInfo.InvariantCulture));
    }
}
