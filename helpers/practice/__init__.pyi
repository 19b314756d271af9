from .checking import check as check
from .checking import hint as hint
from .checking import solution as solution
from .notes import Note as Note
from .quizzes import quiz as quiz
