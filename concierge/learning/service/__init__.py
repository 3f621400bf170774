"""Decisions of learning: what to follow (`draws`), what conversations came to (`outcomes`, `judgement`), what was learned
(`report`).
"""

from concierge.learning.service.draws import Draws, Learning
from concierge.learning.service.judgement import JUDGE_TASK, Judgement
from concierge.learning.service.outcomes import OutcomeService
from concierge.learning.service.report import ReportService
from concierge.learning.service.uses import UseService

__all__ = ["JUDGE_TASK", "Draws", "Judgement", "Learning", "OutcomeService", "ReportService", "UseService"]
