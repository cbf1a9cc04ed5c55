using System.Text.Json;
using ActorTrainer.Host.Chaos;
using Xunit;

namespace ActorTrainer.Tests.Chaos;

public class SurvivalReportTests
{
    private static readonly SurvivalReport Report = new()
    {
        Seed = 1,
        Steps = 200,
        Network = "loopback",
        Faults =
        [
            new() { Number = 1, Fault = "kill-stage", Nodes = "n1", AtStep = 12, DetectedSeconds = 0.21, RecoveredSeconds = 2.54, Replayed = 1, DigestsEqual = true },
            new() { Number = 2, Fault = "partition 10.0 s", Nodes = "n2", AtStep = 120, RecoveredSeconds = 11, DigestsEqual = false, Note = "n2 paused instead" },
            new() { Number = 3, Fault = "slow 5.0 s", Nodes = "n3", AtStep = 140 },
        ],
        Checks = [new("the run completed", true, ""), new("no process is left", false, "process 7")],
    };

    [Fact]
    public void The_table_says_what_was_survived_in_aligned_columns() => Assert.Equal(
        """
        #  fault             node  at step  detected s  recovered s  replayed  digests equal  note
        1  kill-stage        n1         12         0.2          2.5         1  yes
        2  partition 10.0 s  n2        120           –         11.0         0  NO             n2 paused instead
        3  slow 5.0 s        n3        140           –        never         0  –
        ok      the run completed
        FAILED  no process is left: process 7

        """.ReplaceLineEndings("\n"),
        Report.ToText());

    [Fact]
    public void One_failed_check_is_a_run_that_did_not_survive()
    {
        Assert.False(Report.Survived);
        Assert.True((Report with { Checks = [new("a", true, "")] }).Survived);
    }

    [Fact]
    public void The_files_hold_the_same_as_the_table()
    {
        var folder = Directory.CreateTempSubdirectory("actortrainer-chaos-");
        try
        {
            Report.Save(folder.FullName);

            using var json = JsonDocument.Parse(File.ReadAllText(Path.Combine(folder.FullName, "chaos.json")));
            Assert.Equal(2.54, json.RootElement.GetProperty("faults")[0].GetProperty("recovered_seconds").GetDouble());
            Assert.False(json.RootElement.GetProperty("survived").GetBoolean());
            Assert.Contains("| 2 | partition 10.0 s | n2 | 120 | – | 11.0 | 0 | NO | n2 paused instead |", File.ReadAllText(Path.Combine(folder.FullName, "chaos.md")));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public void The_recovery_table_has_medians_and_leaves_out_faults_that_nobody_noticed()
    {
        Survival Kill(double? detected, double? recovered) =>
            new() { Number = 1, Fault = "kill-stage", Nodes = "n1", AtStep = 1, DetectedSeconds = detected, RecoveredSeconds = recovered };

        var table = RecoveryBench.Table([Kill(0.1, 2), Kill(0.3, 5), Kill(0.2, 3), Kill(null, 0.5)]);

        Assert.Contains("| kill-stage | 3 | 0.2 | 3.0 | 2.0 | 5.0 | 1 |", table);
    }
}
